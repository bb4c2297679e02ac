//! Extensions as an app gives and sees them: a type and its content (RFC 9420, section 13).

use openmls::{
    grease::is_grease_value,
    prelude::{Extension, ExtensionType},
};
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

use crate::error::{ArgumentProblem, Error};

/// Type and content of an extension.
pub(crate) type ExtensionInfo = (u16, Vec<u8>);

pub(crate) fn info(extension: &Extension) -> Result<ExtensionInfo, Error> {
    let encoded = extension.tls_serialize_detached()?;
    // struct { uint16 extension_type; opaque extension_data<V>; } (RFC 9420, section 7.2)
    let data = encoded.get(2..).unwrap_or_default();
    let (content, _) = VLBytes::tls_deserialize_bytes(data)?;
    Ok((extension.extension_type().into(), content.as_slice().to_vec()))
}

/// Every extension but GREASE, which says nothing.
pub(crate) fn infos<'e>(
    extensions: impl Iterator<Item = &'e Extension>,
) -> Result<Vec<ExtensionInfo>, Error> {
    extensions
        .filter(|extension| !is_grease_value(extension.extension_type().into()))
        .map(info)
        .collect()
}

/// `argument` is what the app called it.
pub(crate) fn parse(
    argument: &'static str,
    (extension_type, data): &ExtensionInfo,
) -> Result<Extension, Error> {
    let refused = |problem| Error::Argument { argument, problem };
    if is_grease_value(*extension_type) {
        return Err(refused(ArgumentProblem::OutOfRange));
    }
    let mut encoded = extension_type.to_be_bytes().to_vec();
    encoded.extend(VLBytes::new(data.clone()).tls_serialize_detached()?);
    // No length may be longer than it must be, or each side would hash another GroupContext; tls_codec refuses those.
    Extension::tls_deserialize_exact_bytes(&encoded).map_err(|_| refused(ArgumentProblem::Malformed))
}

/// Types that everybody supports without saying so (RFC 9420, section 7.2).
pub(crate) fn is_default(kind: ExtensionType) -> bool {
    (1..=5).contains(&u16::from(kind))
}
