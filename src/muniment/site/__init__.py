"""The Django project: settings, urls, shell templates, static files. `prepare` makes a home ready for it."""

from muniment.site.preparation import prepare

__all__ = ["prepare"]
