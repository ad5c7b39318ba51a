"""The pages of rooms, each with the permission it needs; the room asks its permit besides."""

from __future__ import annotations

from muniment.answer.views import message, pack, rooms, scan, search
from muniment.people.permission import Permission
from muniment.people.route import Content, route

_ENTER = Permission.ENTER_ROOM
_MESSAGE = "rooms/<str:name>/messages/<int:index>"

ROUTES = [
    route("rooms", rooms.my_rooms, _ENTER, "rooms"),
    route("rooms/<str:name>", rooms.room, _ENTER, "room"),
    route("rooms/<str:name>/unlock", rooms.unlock, _ENTER, "room-unlock", sensitive=True),
    route("rooms/<str:name>/climb", rooms.climb, _ENTER, "room-climb"),
    route("rooms/<str:name>/close", rooms.close, _ENTER, "room-close"),
    route("rooms/<str:name>/search", search.search, _ENTER, "room-search"),
    route("rooms/<str:name>/found/<str:ticket>", search.found, _ENTER, "room-found"),
    route("rooms/<str:name>/scan", scan.scan, _ENTER, "room-scan"),
    route(f"{_MESSAGE}/conversation/<str:ticket>", search.conversation, _ENTER, "room-conversation"),
    route(f"{_MESSAGE}/frame/<str:ticket>", message.frame, _ENTER, "room-frame", content=Content.RECORDED),
    route(f"{_MESSAGE}/note/<str:ticket>", message.note, _ENTER, "room-note"),
    route(f"{_MESSAGE}/parts/<str:part>/<str:ticket>", message.attachment, _ENTER, "room-attachment"),
    route(f"{_MESSAGE}/read/<str:ticket>", message.message, _ENTER, "room-message", content=Content.FRAMES),
    route("rooms/<str:name>/pack", pack.pack, _ENTER, "room-pack", sensitive=True),
    route("rooms/<str:name>/packs/<str:file>/delete", pack.delete, _ENTER, "room-pack-delete"),
    route("rooms/<str:name>/packs/<str:file>", pack.download, _ENTER, "room-download", sensitive=True),
]
