//! One question and its answer (RFC 1035). Messages are read and written by a library.

use std::net::Ipv4Addr;

use hickory_proto::op::{Edns, Header, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder};
use smartbox_core::egress::port::{Happening, Passage};
use smartbox_core::egress::{HostName, Refusal, decide_name};
use smartbox_core::id::SmartboxId;

use super::super::Inner;
use super::super::refuse::{Advice, advice};

/// Seconds for which a program may remember an address: less than a stand-in is kept.
const TTL: u32 = 60;
/// Bytes of an answer that we take, and that we give at the most (DNS flag day 2020).
const PAYLOAD: u16 = 1_232;
/// Extended DNS errors (RFC 8914): blocked, by whoever runs the server.
const EXTENDED_ERROR: u16 = 15;
const BLOCKED: u16 = 15;
/// Bytes of the words in it: an answer must fit into a datagram of old, 512 bytes, beside a long name.
const WORDS: usize = 160;

/// What a name means.
enum Meaning {
    /// This, for who asks for addresses of that family; nothing for others.
    Is(Ipv4Addr),
    /// The box itself.
    Here,
    /// There is no such name, for this reason.
    Nothing(Option<String>),
    /// It cannot be said now.
    Unknown,
}

/// The answer; none to what is no question that could have one.
pub(super) async fn answer(inner: &Inner, id: &SmartboxId, question: &[u8]) -> Option<Vec<u8>> {
    let header = Header::read(&mut BinDecoder::new(question)).ok()?;
    // Who answers answers can be made to talk to himself.
    if header.metadata.message_type != MessageType::Query {
        return None;
    }
    let refuse = |code| Message::error_msg(header.metadata.id, header.metadata.op_code, code);
    if header.metadata.op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp).to_vec().ok();
    }
    let counts = header.counts;
    // One question, no records; what is added is EDNS, a cookie's sibling at the most. Looked at before
    // the rest is read, for whose records room is made by these numbers.
    let plain = (counts.queries, counts.answers, counts.authorities) == (1, 0, 0)
        && counts.additionals <= 2;
    let message = plain.then(|| Message::from_vec(question).ok()).flatten();
    let Some((message, query)) = message.and_then(|mut message| {
        let query = message.queries.pop()?;
        Some((message, query))
    }) else {
        return refuse(ResponseCode::FormErr).to_vec().ok();
    };
    let mut response = refuse(ResponseCode::NoError);
    response.metadata.recursion_desired = message.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    let edns = message.edns.as_ref();
    let mut words = None;
    if edns.is_some_and(|edns| edns.version() != 0) {
        response.metadata.response_code = ResponseCode::BADVERS;
    } else if query.query_class() != DNSClass::IN {
        response.metadata.response_code = ResponseCode::Refused;
    } else {
        match meaning(inner, id, query.name()).await {
            Meaning::Is(ip) => response.answers.extend(address(&query, RecordType::A, ip)),
            Meaning::Here => response.answers.extend(here(&query)),
            // Not REFUSED: to that, one C library (musl) turns a deaf ear until its time is over, and the
            // others ask again. A program is to learn at once that it has no way.
            Meaning::Nothing(why) => {
                response.metadata.response_code = ResponseCode::NXDomain;
                words = why;
            }
            Meaning::Unknown => response.metadata.response_code = ResponseCode::ServFail,
        }
    }
    response.queries.push(query);
    if edns.is_some() {
        response.edns = Some(extended(words));
    }
    response.to_vec().ok()
}

/// What a name means in this box.
async fn meaning(inner: &Inner, id: &SmartboxId, asked: &Name) -> Meaning {
    if asked.is_localhost() {
        return Meaning::Here;
    }
    let standing = match inner.parts.rules.standing(id).await {
        Ok(standing) => standing,
        Err(error) => {
            tracing::warn!(smartbox = %id, %error, "a policy could not be read");
            return Meaning::Unknown;
        }
    };
    let now = inner.parts.clock.now();
    // In this spelling a byte that is no letter of a name stays one: a dot within a label is escaped.
    let text = asked.to_ascii();
    let name = HostName::parse(&text);
    let (why, shown) = match &name {
        Ok(name) => match decide_name(&standing.policy, name, now) {
            Ok(()) => return Meaning::Is(inner.stand_ins.stand_in(id, name, now)),
            Err(why) => (why, name.as_str()),
        },
        Err(_) => (Refusal::Host, text.as_str()),
    };
    let host = inner.told.tell(id, shown, now);
    let Advice { title, hint, .. } =
        advice(why, &standing.name, &host, 443, &inner.parts.limits.quota);
    inner.parts.witness.note(Passage {
        smartbox: id.clone(),
        host,
        port: 0,
        by: None,
        what: Happening::Refused(why),
    });
    Meaning::Nothing(Some(format!("{title}; {hint}")))
}

fn address(query: &Query, of: RecordType, ip: Ipv4Addr) -> Option<Record> {
    let record = || Record::from_rdata(query.name().clone(), TTL, RData::A(A(ip)));
    (query.query_type() == of).then(record)
}

/// `localhost`, for who does not know it by himself (RFC 6761, 6.3).
fn here(query: &Query) -> Option<Record> {
    let record = |data| Record::from_rdata(query.name().clone(), TTL, data);
    match query.query_type() {
        RecordType::A => Some(record(RData::A(A(Ipv4Addr::LOCALHOST)))),
        RecordType::AAAA => Some(record(RData::AAAA(AAAA(std::net::Ipv6Addr::LOCALHOST)))),
        _ => None,
    }
}

/// For who speaks EDNS: why there is no such name, in words that `dig` shows.
fn extended(words: Option<String>) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    if let Some(words) = words {
        let mut data = BLOCKED.to_be_bytes().to_vec();
        data.extend(words.chars().filter(char::is_ascii).take(WORDS).map(|c| c as u8));
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, data));
    }
    edns
}
