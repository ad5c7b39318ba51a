"""The pages of rooms: they ask the room, and show what it answered.

The room decides who may look and records every look before it answers (docs/formats/room-socket.md); nothing here
holds recorded content for longer than one page, and nothing here writes it anywhere.
"""
