"""The pages of permits: they ask, and show what was answered; every rule is in the modules beside."""
