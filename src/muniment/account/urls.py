"""The pages of `account`, each with the permission it needs."""

from __future__ import annotations

from muniment.account.views import health, mine, officers, record, start, streams
from muniment.people.permission import Permission
from muniment.people.route import route

ROUTES = [
    route("", start.home, Permission.SEE_OWN_RECORD, "home"),
    route("my-record", mine.my_record, Permission.SEE_OWN_RECORD, "my-record"),
    route("my-record/mail", mine.my_mail, Permission.SEE_OWN_RECORD, "my-mail"),
    route("my-record/mail/<str:day>/<int:index>", mine.my_entry, Permission.SEE_OWN_RECORD, "my-entry"),
    route("my-record/looks/<str:number>", mine.my_look, Permission.SEE_OWN_RECORD, "my-look"),
    route("today", officers.today, Permission.SEE_TODAY, "today"),
    route("health", health.health, Permission.SEE_HEALTH, "health"),
    route("looks", officers.audit, Permission.SEE_AUDIT, "audit"),
    route("disputes/<int:index>", officers.dispute, Permission.SEE_TODAY, "dispute"),
    route("streams", streams.streams, Permission.SEE_STREAMS, "streams"),
    route("record", record.record_state, Permission.SEE_RECORD_STATE, "record"),
    route("outside", record.outside_list, Permission.SEE_OUTSIDE, "outside"),
    route("outside/<int:number>", record.outside_message, Permission.SEE_OUTSIDE, "outside-message"),
]
