"""The transactions of one session: the envelope asked of the next hop live, the message recorded, then passed on.

Each method returns the reply the client is to hear; none lets a failure of the hop or the recorder out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from muniment.guard.mail import smtp_reply as replies
from muniment.guard.mail.direction import Door, classify, is_own
from muniment.guard.mail.mail_entry import Envelope, message_entry, outcome_entry, refusal_entry
from muniment.guard.mail.smtp_client import mail_command, recipient_command
from muniment.guard.mail.smtp_command import Mail, Recipient
from muniment.guard.mail.smtp_event import Fault, Message
from muniment.guard.mail.smtp_reply import Reply
from muniment.guard.mail.verdict import Verdict, judge, refusal_of, refused_envelope
from muniment.policy.decision import Decision
from muniment.policy.errors import Unavailable
from muniment.record.entry import Direction, Entry, Receipt
from muniment.serve.gateway_hop import Hop, HopLost
from muniment.serve.gateway_settings import Listener, is_loopback
from muniment.serve.gateway_state import GatewayState

NOT_OURS = Reply.of(
    550, "5.7.1 this door takes mail for the organisation's own domains only; relaying refused"
)
NOT_RECORDED = Reply.of(
    451, "4.3.0 the record cannot take the message now; nothing was delivered, try again later"
)
_LARGE_BYTES = 1 << 20  # above it the judging leaves the event loop
_HOP_TEXT_LIMIT = 400


@dataclass
class Client:
    """Who is on the other side."""

    host: str
    port: int
    helo: str = ""
    is_tls: bool = False
    user: str = ""
    is_signed_in: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether the connection never left this machine."""
        return is_loopback(self.host)


@dataclass
class Transaction:
    """One message from MAIL to the reply to its content."""

    mail: Mail
    accepted: list[str] = field(default_factory=list)
    refused: list[tuple[str, Reply]] = field(default_factory=list)
    lost: HopLost | None = None


class Transactions:
    """One session's transactions, one after another, over one connection to the next hop."""

    def __init__(self, state: GatewayState, listener: Listener, client: Client) -> None:
        self._state, self._listener, self.client = state, listener, client
        self._hop: Hop | None = None
        self._open: Transaction | None = None
        self._held_bytes = 0

    # Before and between messages

    async def hop_offers(self) -> dict[str, str] | None:
        """Return what the next hop offers, None when there is none or it cannot be reached."""
        try:
            hop = await self._connected() if self._listener.hop else None
        except HopLost:
            return None
        if hop is None or hop.is_confidential:
            return hop.offers if hop else None
        return {keyword: rest for keyword, rest in hop.offers.items() if keyword != "AUTH"}

    async def pass_line(self, line: bytes, begins: bool) -> Reply:
        """Send a line of authentication to the hop and return its reply; `begins` marks the AUTH command.

        Raises:
            HopLost: it went away.
        """
        if not begins:
            return (await self._standing().ask(line + b"\r\n"))[0]
        hop = await self._connected()
        if not hop.is_confidential:
            raise HopLost("the way to the next hop is not private any more", "4.7.4")
        if hop.is_dirty:
            await hop.ask(b"RSET\r\n")
            hop.is_dirty = False
        return (await hop.ask(line + b"\r\n"))[0]

    def signed_in(self, name: str) -> None:
        """Note that the hop let the client in; from now on no other connection stands in for this one."""
        self.client.user, self.client.is_signed_in = name, True

    def sign_out(self) -> None:
        """Forget what was learnt in clear text, before TLS. Source: RFC 3207 section 4.2."""
        self.reset()
        if self.client.is_signed_in and self._hop is not None:
            self._hop.close()
            self._hop = None
        self.client.user, self.client.is_signed_in = "", False

    def hold(self, message_bytes: int) -> bool:
        """Reserve memory for the message being read; False when there is none left."""
        if not self._state.memory.take(message_bytes - self._held_bytes):
            return False
        self._held_bytes = message_bytes
        return True

    def reset(self) -> None:
        """End the transaction without a message; recipients that were all refused are recorded as that."""
        ended, self._open = self._open, None
        if ended is None:
            return
        if self._hop is not None:
            self._hop.is_dirty = True
        if ended.refused and not ended.accepted:
            reason = ended.refused[-1][1].text
            decision = refused_envelope(reason, self._state.view.digest)
            entry = refusal_entry(
                self._envelope(ended), self._direction(ended), b"", decision, self._state.view.shielding
            )
            self._state.link.append_later(entry)

    def close(self) -> None:
        """End the session: take leave of the hop, or hang up on it if a transaction is open there."""
        self._release()
        self.reset()
        if self._hop is None:
            return
        if self._hop.is_dirty:
            self._hop.close()
        else:
            self._hop.quit()

    # The envelope

    async def envelope(self, batch: Sequence[Mail | Recipient]) -> list[Reply]:
        """Return the replies to MAIL and RCPTs, in order: our own refusals, and else the hop's."""
        answers = [self._own_answer(item) for item in batch]
        asked = [item for item, answer in zip(batch, answers, strict=True) if answer is None]
        if asked:
            heard = iter(await self._ask(asked))
            answers = [answer or next(heard) for answer in answers]
        found = [answer for answer in answers if answer is not None]
        for item, reply in zip(batch, found, strict=True):
            self._note(item, reply)
        return found

    def _own_answer(self, item: Mail | Recipient) -> Reply | None:
        """Begin a transaction at MAIL; return the reply that needs no hop, None when the hop decides."""
        if isinstance(item, Mail):
            self.reset()
            memory = self._state.memory
            if (item.size or 0) > memory.limit_bytes - memory.used_bytes:
                self._count("overloaded")
                return replies.OVERLOADED
            self._open = Transaction(item)
            return replies.SENDER_OK if self._listener.hop is None else None
        if self._open is None:
            return replies.BAD_SEQUENCE
        if self._listener.hop is None:
            return replies.RECIPIENT_OK
        if self._listener.door is Door.OUTSIDE and not is_own(item.address, self._state.view.domains):
            self._count("relay_refused")
            return NOT_OURS
        return None

    async def _ask(self, asked: Sequence[Mail | Recipient]) -> list[Reply]:
        transaction = self._open
        if transaction is None or transaction.lost is not None:
            return [
                transaction.lost.reply if transaction and transaction.lost else replies.BAD_SEQUENCE
            ] * len(asked)
        begins = isinstance(asked[0], Mail)
        try:
            hop = await self._connected() if begins else self._standing()
            resets = [b"RSET\r\n"] if begins and hop.is_dirty else []
            lines = [_command(item, hop.offers) for item in asked]
            found = (await hop.ask(*resets, *lines))[len(resets) :]
        except HopLost as lost:
            self._count("hop_lost")
            transaction.lost = lost
            return [lost.reply] * len(asked)
        if begins:
            hop.is_dirty = False
        return found

    def _note(self, item: Mail | Recipient, reply: Reply) -> None:
        transaction = self._open
        if transaction is None:
            return
        if reply.code >= 400:
            address = item.address if isinstance(item, Recipient) else ""
            if transaction.lost is None:
                transaction.refused.append((address, reply))
        elif isinstance(item, Recipient) and reply.is_positive:
            transaction.accepted.append(item.address)

    def refuse_data(self) -> Reply | None:
        """Return why DATA cannot be taken, None when it can."""
        transaction = self._open
        if transaction is None:
            return replies.BAD_SEQUENCE
        if self._listener.hop is None:
            return None
        if transaction.lost is None and (self._hop is None or not self._hop.is_usable):
            self._count("hop_lost")
            transaction.lost = HopLost("the next hop hung up", "4.4.2")
        return transaction.lost.reply if transaction.lost else None

    # The message

    async def message(self, message: Message) -> Reply:
        """Record a message, pass it on, and return what the client hears."""
        transaction, self._open = self._open, None
        try:
            if transaction is None:
                return replies.BAD_SEQUENCE
            return await self._take(transaction, message)
        finally:
            self._release()

    async def _take(self, transaction: Transaction, message: Message) -> Reply:
        if message.fault is Fault.OVERLOADED:
            self._leave_open_at_hop()
            self._count("overloaded")
            return replies.OVERLOADED
        view, direction = self._state.view, self._direction(transaction)
        if message.fault is not None:
            self._count(f"refused_{message.fault.name.lower()}")
            decision = refusal_of(message.fault, view.digest)
            return await self._refuse(transaction, direction, message.content, decision, message.fault.value)
        verdict = await self._judge(direction, message.content)
        if verdict.is_refusal:
            self._count("refused_footer")
            decision = verdict.decision
            reply = Reply.of(550, f"5.7.1 {decision.reason} (clause {decision.clause})")
            return await self._refuse(transaction, direction, message.content, decision, reply)
        return await self._pass_on(transaction, direction, message.content, verdict)

    async def _judge(self, direction: Direction, content: bytes) -> Verdict:
        view = self._state.view
        if direction is Direction.OUTBOUND and len(content) > _LARGE_BYTES:
            return await asyncio.to_thread(judge, direction, content, view.particulars, view.digest)
        return judge(direction, content, view.particulars, view.digest)

    async def _refuse(
        self,
        transaction: Transaction,
        direction: Direction,
        received: bytes,
        decision: Decision,
        reply: Reply,
    ) -> Reply:
        """Record what was received, then refuse it."""
        self._leave_open_at_hop()
        entry = refusal_entry(
            self._envelope(transaction), direction, received, decision, self._state.view.shielding
        )
        try:
            receipt = (await self._state.link.append([entry]))[0]
        except Unavailable:
            return NOT_RECORDED
        return Reply.of(reply.code, f"{reply.text}; recorded {receipt.number}")

    async def _pass_on(
        self, transaction: Transaction, direction: Direction, content: bytes, verdict: Verdict
    ) -> Reply:
        entry = message_entry(
            self._envelope(transaction),
            direction,
            content,
            verdict.to_send,
            verdict.decision,
            self._state.view.shielding,
        )
        hop = self._hop if self._listener.hop else None
        recording = asyncio.ensure_future(self._state.link.append([entry]))
        refusal: Reply | None = None
        lost: HopLost | None = None
        try:
            if hop is not None:
                hop.is_dirty = True  # until the hop has answered the final dot
                refusal = await hop.send_content(verdict.to_send)
        except HopLost as error:
            lost = error
        try:
            receipt = (await recording)[0]
        except Unavailable:
            if hop is not None:
                hop.close()
            return NOT_RECORDED
        self._count("recorded")
        if hop is None:
            return Reply.of(250, f"2.0.0 recorded {receipt.number}")
        if lost is not None:
            return await self._answer(receipt, direction, "unsent", lost.reply)
        if refusal is not None:
            return await self._answer(receipt, direction, "refused", _as_refusal(refusal))
        return await self._finish(hop, receipt, direction)

    async def _finish(self, hop: Hop, receipt: Receipt, direction: Direction) -> Reply:
        """Send the final dot, record the outcome, and return the hop's words."""
        try:
            reply = await hop.finish()
        except HopLost as lost:
            return await self._answer(receipt, direction, "unknown", lost.reply)
        hop.is_dirty = False
        if not reply.is_positive:
            return await self._answer(receipt, direction, "refused", _as_refusal(reply))
        self._state.link.append_later(self._outcome(receipt, direction, "accepted", reply))
        self._count("accepted")
        return Reply.of(250, f"2.0.0 recorded {receipt.number}; {_hop_text(reply)}")

    async def _answer(self, receipt: Receipt, direction: Direction, outcome: str, reply: Reply) -> Reply:
        """Record that the hop has not taken the message, and pass its words back whether or not that was recorded."""
        self._count(f"hop_{outcome}")
        try:
            await self._state.link.append([self._outcome(receipt, direction, outcome, reply)])
        except Unavailable:
            self._count("outcomes_not_recorded")
        return reply

    def _outcome(self, receipt: Receipt, direction: Direction, outcome: str, reply: Reply) -> Entry:
        return outcome_entry(receipt, direction, str(self._listener.hop), outcome, reply)

    # Inner parts

    def _envelope(self, transaction: Transaction) -> Envelope:
        client = self.client
        return Envelope(
            door=self._listener.door,
            mail_from=transaction.mail.sender,
            rcpt_to=tuple(transaction.accepted),
            refused=tuple((address, reply.text[:_HOP_TEXT_LIMIT]) for address, reply in transaction.refused),
            client_host=client.host,
            client_port=client.port,
            helo=client.helo,
            is_tls=client.is_tls,
            user=client.user,
            hop=str(self._listener.hop or ""),
        )

    def _direction(self, transaction: Transaction) -> Direction:
        return classify(self._listener.door, transaction.accepted, self._state.view.domains)

    async def _connected(self) -> Hop:
        """Return the hop, connecting if there is no connection; one that was signed in to is not replaced."""
        hop, address = self._hop, self._listener.hop
        if hop is not None and hop.is_usable:
            return hop
        if address is None or self.client.is_signed_in:
            raise HopLost("the next hop hung up", "4.4.2")
        settings = self._state.settings
        self._hop = await Hop.connect(address, settings.hostname, settings.limits)
        return self._hop

    def _standing(self) -> Hop:
        if self._hop is None or not self._hop.is_usable:
            raise HopLost("the next hop hung up", "4.4.2")
        return self._hop

    def _leave_open_at_hop(self) -> None:
        if self._hop is not None:
            self._hop.is_dirty = True

    def _release(self) -> None:
        self._state.memory.give(self._held_bytes)
        self._held_bytes = 0

    def _count(self, name: str) -> None:
        self._state.counters[name] += 1


def _command(item: Mail | Recipient, offers: dict[str, str]) -> bytes:
    return mail_command(item, offers) if isinstance(item, Mail) else recipient_command(item)


def _as_refusal(reply: Reply) -> Reply:
    """Return a reply that refuses; a hop that answers the end of a message with 3xx is not understood."""
    return reply if reply.code >= 400 else Reply.of(451, "4.4.2 the next hop answered what is not SMTP")


def _hop_text(reply: Reply) -> str:
    """Return the hop's words without its enhanced status code, on one line."""
    text = reply.text
    first, _, rest = text.partition(" ")
    return (rest if first[:2] == "2." else text)[:_HOP_TEXT_LIMIT]
