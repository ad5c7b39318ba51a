"""Every page of the console: the routes of each part, and the site's own. A test lists the routes that name no permission."""

from __future__ import annotations

from muniment.account import urls as account
from muniment.people.permission import Permission
from muniment.people.route import route
from muniment.site import failure, styles

urlpatterns = [
    *account.ROUTES,
    route("static/<path:name>", styles.static_file, Permission.LOAD_STYLES, "static"),
]
handler400 = failure.bad_request
handler403 = failure.forbidden
handler404 = failure.not_found
handler500 = failure.server_error
