"""What is known of causes: their words, their rank, and the messages by which they show.

``open_messages`` is the front door; ``pages`` reads what a person is told of one.
"""

from __future__ import annotations

from provisioner.causes.messages import Message, Messages
from provisioner.causes.store import open_messages, open_order

__all__ = ["Message", "Messages", "open_messages", "open_order"]
