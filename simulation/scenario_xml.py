"""Scenarios for SIPp 3.6, made from scripts."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from simulation.dtmf import write_press
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Press, Refer, Speak, Step, Wait

_AFTER_KEY_MS = 500
_AGAIN_MS = 500
_AGAIN_WITH_PASSWORD_MS = 5000
"""SIPp takes a second 401, to a request that it sent again because the first was only slow, for a failure."""
_PAYLOADS = {0: "PCMU", 8: "PCMA", 9: "G722"}


def caller_xml(script: CallerScript, folder: Path) -> str:
    """A UAC scenario; captures of the keys pressed are written to ``folder``."""
    display = f'"{script.name}" ' if script.name else ""
    user = f"{script.number}@" if script.number else ""
    who = f"{display}<sip:{user}[local_ip]>;tag=[pid]t[call_number]"
    to = f"<sip:{script.dialled}@[remote_ip]:[remote_port]>"
    request = f"sip:{script.dialled}@[remote_ip]:[remote_port] SIP/2.0"
    sdp = _sdp("m=audio [media_port] RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000")
    head = [
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        f"From: {who}",
        "Call-ID: [call_id]",
        "Max-Forwards: 70",
        "Contact: <sip:caller@[local_ip]:[local_port]>",
    ]
    invite = [f"INVITE {request}", *head, f"To: {to}"]
    body = []
    if script.password:
        secret = f"[authentication username={script.number} password={script.password}]"
        body += [
            _send([*invite, "CSeq: 1 INVITE"], sdp, again_ms=_AGAIN_WITH_PASSWORD_MS),
            '<recv response="401" auth="true"/>',
            _send([f"ACK {request}", *head, f"To: {to}[peer_tag_param]", "CSeq: 1 ACK"]),
        ]
        invite.append(secret)
    body += [
        _send([*invite, "CSeq: 2 INVITE"], sdp, again_ms=_AGAIN_MS),
        '<recv response="100" optional="true"/>',
        '<recv response="180" optional="true"/>',
        '<recv response="183" optional="true"/>',
        '<recv response="200" rrs="true"/>',
        _send([f"ACK {request}", *head, f"To: {to}[peer_tag_param]", "CSeq: 2 ACK"]),
    ]
    bye = [f"BYE {request}", *head, f"To: {to}[peer_tag_param]", f"CSeq: {_LAST_CSEQ} BYE"]
    for number, step in enumerate(script.steps):
        if isinstance(step, Press):
            pcap = folder / f"press-{number}-{step.key.replace('*', 'star').replace('#', 'hash')}.pcap"
            write_press(pcap, step.key, number)
            body.append(_press(pcap))
        else:
            body.append(_step(step, bye, "PCMU/8000", 0))
    return _scenario("caller", body)


def agent_xml(script: AgentScript) -> str:
    """A UAS scenario; answers every call alike."""
    ringing = ["SIP/2.0 180 Ringing", *_ECHOED, "To: [$to];tag=[pid]a[call_number]", _AGENT_CONTACT]
    body = [_RECEIVE_INVITE, _send(ringing)]
    if script.ring_s:
        body.append(f'<pause milliseconds="{round(script.ring_s * 1000)}"/>')
    tagged = [*_ECHOED, "To: [$to];tag=[pid]a[call_number]", _AGENT_CONTACT]
    if script.refuse:
        body += [_send([f"SIP/2.0 {script.refuse}", *tagged], again_ms=_AGAIN_MS), '<recv request="ACK"/>']
        return _scenario("agent", body)
    name = _PAYLOADS[script.payload]
    sdp = _sdp(f"m=audio [media_port] RTP/AVP {script.payload}", f"a=rtpmap:{script.payload} {name}/8000")
    body += [_send(["SIP/2.0 200 OK", *tagged], sdp, again_ms=_AGAIN_MS), '<recv request="ACK" crlf="true"/>']
    body += [_step(step, _AGENT_BYE, f"{name}/8000", script.payload) for step in script.steps]
    return _scenario("agent", body)


def varied_agent_xml() -> str:
    """A UAS scenario that treats each call in its own way, from an injection file: ms of ringing; ms of talk."""
    own = "".join(
        f'<assignstr assign_to="{name}_text" value="[{field}]"/>'
        f'<todouble assign_to="{name}" variable="{name}_text"/>'
        for name, field in (("ring", "field0"), ("talk", "field1"))
    )
    tagged = [*_ECHOED, "To: [$to];tag=[pid]a[call_number]", _AGENT_CONTACT]
    sdp = _sdp("m=audio [media_port] RTP/AVP 9", "a=rtpmap:9 G722/8000")
    body = [
        _RECEIVE_INVITE,
        _send(["SIP/2.0 180 Ringing", *tagged]),
        f"<nop><action>{own}</action></nop>",
        '<pause variable="ring"/>',
        _send(["SIP/2.0 200 OK", *tagged], sdp, again_ms=_AGAIN_MS),
        '<recv request="ACK" crlf="true"/>',
        '<pause variable="talk"/>',
        _step(HangUp(), _AGENT_BYE, "G722/8000", 9),
    ]
    return _scenario("agent", body)


def register_xml() -> str:
    """Registers the users of an injection file: number; [authentication …]; port of the contact."""
    head = [
        "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From: <sip:[field0]@[remote_ip]>;tag=[pid]r[call_number]",
        "To: <sip:[field0]@[remote_ip]>",
        "Call-ID: [call_id]",
        "Contact: <sip:[field0]@[local_ip]:[field2]>",
        "Expires: 3600",
        "Max-Forwards: 70",
    ]
    body = [
        _send([*head, "CSeq: 1 REGISTER"], again_ms=_AGAIN_WITH_PASSWORD_MS),
        '<recv response="401" auth="true"/>',
        _send([*head, "CSeq: 2 REGISTER", "[field1]"], again_ms=_AGAIN_WITH_PASSWORD_MS),
        '<recv response="200"/>',
    ]
    return _scenario("register", body)


_ECHOED = ["[last_Via:]", "[last_From:]", "[last_Call-ID:]", "[last_CSeq:]", "[last_Record-Route:]"]
_RECEIVE_INVITE = (
    '<recv request="INVITE" crlf="true" rrs="true"><action>'
    '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>'
    '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
    # SIPp refuses a variable that is assigned and never read.
    '<strcmp assign_to="same" variable="to" value=""/><strcmp assign_to="same" variable="from" value=""/>'
    '<assign assign_to="same" variable="same"/></action></recv>'
)
_AGENT_CONTACT = "Contact: <sip:[local_ip]:[local_port]>"
_LAST_CSEQ = 9
"""Of the BYE; what is asked before it within the dialog has a smaller one."""
# An agent's BYE goes back along the dialog: From and To change places.
_AGENT_BYE = [
    "BYE [next_url] SIP/2.0",
    "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
    "From: [$to];tag=[pid]a[call_number]",
    "To: [$from]",
    "Call-ID: [call_id]",
    f"CSeq: {_LAST_CSEQ} BYE",
    "Max-Forwards: 70",
]


def _step(step: Step, bye: list[str], codec: str, payload: int) -> str:
    match step:
        case Wait(seconds):
            return f'<pause milliseconds="{round(seconds * 1000)}"/>'
        case Press():
            raise ValueError("agents press no keys")
        case Speak(file, loops):
            return f'<nop><action><exec rtp_stream="{file},{loops},{payload},{codec}"/></action></nop>'
        case HangUp():
            return _send(bye, again_ms=_AGAIN_MS) + '<recv response="200"/>'
        case AwaitHangUp():
            return '<recv request="BYE"/>' + _send(_OK)
        case Refer():
            return _refer(step, bye)


_OK = ["SIP/2.0 200 OK", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"]


def _refer(step: Refer, bye: list[str]) -> str:
    """Ask, follow what is told until it is known how it came out, let go if it was done. Once in a scenario."""
    asked = [line.replace("BYE", "REFER").replace(f" {_LAST_CSEQ} ", f" {_LAST_CSEQ - 1} ") for line in bye]
    dialog = f"?Replaces={step.replaces}" if step.replaces else ""
    contact = [] if any(line.startswith("Contact:") for line in bye) else [_AGENT_CONTACT]
    asking = _send([*asked, *contact, f"Refer-To: <sip:{step.to}@[local_ip]{dialog}>"], again_ms=_AGAIN_MS)
    if step.declined:
        return asking + f'<recv response="{step.declined}"/>'
    # Notified of every step (100 Trying, 180 …): again and again until it is the one that is waited for.
    looked_for = f'<ereg regexp="SIP/2.0 {step.refused or 200}" search_in="msg" assign_to="told"/>'
    following = (
        '<recv response="202"/><label id="1"/>'
        f'<recv request="NOTIFY" next="2" test="told"><action>{looked_for}</action></recv>'
        + _send(_OK).replace("<send>", '<send next="1">')
        + '<label id="2"/>'
        + _send(_OK)
    )
    return asking + following + ("" if step.refused else _step(HangUp(), bye, "", 0))


def _press(pcap: Path) -> str:
    return f'<nop><action><exec play_pcap_audio="{pcap}"/></action></nop><pause milliseconds="{_AFTER_KEY_MS}"/>'


def _sdp(*media: str) -> list[str]:
    return [
        "v=0",
        "o=- 1 1 IN IP[local_ip_type] [local_ip]",
        "s=-",
        "c=IN IP[media_ip_type] [media_ip]",
        "t=0 0",
        *media,
    ]


def _send(lines: list[str], body: list[str] | None = None, *, again_ms: int = 0) -> str:
    if body:
        lines = [*lines, "Content-Type: application/sdp", "Content-Length: [len]", "", *body]
    else:
        lines = [*lines, "Content-Length: 0", ""]
    text = "\n".join(lines).replace("]]>", "]]]]><![CDATA[>")  # which would end the section
    attribute = f' retrans="{again_ms}"' if again_ms else ""
    return f"<send{attribute}><![CDATA[\n\n{text}\n\n]]></send>"


def _scenario(name: str, body: list[str]) -> str:
    inside = "\n".join(body)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{escape(name)}">\n{inside}\n</scenario>\n'
