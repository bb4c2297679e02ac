//! Bytes from outside: length checked first, decoded whole or refused.

use openmls::prelude::{ContentType, GroupId, MlsMessageBodyIn, MlsMessageIn, ProtocolMessage};
use tls_codec::DeserializeBytes as _;

use crate::{
    error::{ArgumentProblem, Error},
    policy,
};

pub(crate) fn check_length(argument: &'static str, bytes: &[u8], most: usize) -> Result<(), Error> {
    if bytes.len() > most {
        Err(Error::Argument {
            argument,
            problem: ArgumentProblem::TooLong,
        })
    } else {
        Ok(())
    }
}

/// Decodes an MLSMessage (RFC 9420, section 6). Bytes left over make it malformed.
pub(crate) fn parse(bytes: &[u8]) -> Result<MlsMessageIn, Error> {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(Into::into)
}

/// What a message says about itself; none of it is proven.
pub(crate) struct Info {
    pub(crate) group_id: Option<GroupId>,
    pub(crate) epoch: Option<u64>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Group { content: ContentType, framing: Framing },
    Welcome,
    GroupInfo,
    KeyPackage,
}

pub(crate) enum Framing {
    Public,
    Private,
}

pub(crate) fn info(bytes: &[u8]) -> Result<Info, Error> {
    check_length("message", bytes, policy::MAX_MESSAGE)?;
    let without_group = |kind| Info {
        group_id: None,
        epoch: None,
        kind,
    };
    Ok(match parse(bytes)?.extract() {
        MlsMessageBodyIn::PublicMessage(message) => in_group(&message.into(), Framing::Public),
        MlsMessageBodyIn::PrivateMessage(message) => in_group(&message.into(), Framing::Private),
        MlsMessageBodyIn::GroupInfo(info) => Info {
            group_id: Some(info.group_id().clone()),
            epoch: Some(info.epoch().as_u64()),
            kind: Kind::GroupInfo,
        },
        MlsMessageBodyIn::Welcome(_) => without_group(Kind::Welcome),
        MlsMessageBodyIn::KeyPackage(_) => without_group(Kind::KeyPackage),
    })
}

fn in_group(message: &ProtocolMessage, framing: Framing) -> Info {
    Info {
        group_id: Some(message.group_id().clone()),
        epoch: Some(message.epoch().as_u64()),
        kind: Kind::Group {
            content: message.content_type(),
            framing,
        },
    }
}
