"""Every page of the console: the routes of each part, and the site's own. A test finds those without a permission."""

from __future__ import annotations

from muniment.account import urls as account
from muniment.answer import urls as answer
from muniment.people.permission import Permission
from muniment.people.route import route
from muniment.permit import urls as permit
from muniment.site import api, failure, sign_in_urls, styles

urlpatterns = [
    *account.ROUTES,
    *answer.ROUTES,
    *permit.ROUTES,
    *sign_in_urls.ROUTES,
    route("api/openapi.json", api.description, Permission.SEE_API_DESCRIPTION, "api-description"),
    route("api/record", api.record, Permission.SEE_RECORD_STATE, "api-record"),
    route("api/me", api.me, Permission.USE_OWN_ACCOUNT, "api-me"),
    route("static/<path:name>", styles.static_file, Permission.LOAD_STYLES, "static"),
]
handler400 = failure.bad_request
handler403 = failure.forbidden
handler429 = failure.too_many
handler404 = failure.not_found
handler500 = failure.server_error
