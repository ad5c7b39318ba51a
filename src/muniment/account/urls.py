"""The pages of `account`, each with the permission it needs."""

from __future__ import annotations

from muniment.account import views
from muniment.people.permission import Permission
from muniment.people.route import route

ROUTES = [
    route("", views.record_state, Permission.SEE_RECORD_STATE, "record"),
    route("outside", views.outside_list, Permission.SEE_OUTSIDE, "outside"),
    route("outside/<int:number>", views.outside_message, Permission.SEE_OUTSIDE, "outside-message"),
]
