"""The processes: recorder, mail gateway, sink, console."""
