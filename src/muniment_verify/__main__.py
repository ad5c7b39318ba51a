"""`python3 -m muniment_verify ENTRY.json`."""

from muniment_verify import main

raise SystemExit(main())
