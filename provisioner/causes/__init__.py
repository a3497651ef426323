"""What is known of causes: their words, their rank, and the messages by which they show."""

from __future__ import annotations

from provisioner.causes.messages import Messages, load_messages

__all__ = ["Messages", "load_messages"]
