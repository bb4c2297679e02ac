//! Challenges and tokens.

use axum::http::{HeaderMap, header};
use mls_delivery_client::wire::Bytes;
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use crate::{Time, limits, problem::Problem};

const RANDOM: usize = 32;
const TIME: usize = 8;
/// Keeps a tag of ours from meaning anything elsewhere.
const LABEL: &[u8] = b"mls delivery service challenge";

/// Makes and recognises challenges without storing them, so that strangers cannot fill the database.
pub(crate) struct Challenges(hmac::Key);

impl Challenges {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Random bytes, when they expire, and a tag over both.
    pub(crate) fn make(&self, now: Time) -> Result<Vec<u8>, Problem> {
        let mut challenge = random::<RANDOM>()?.to_vec();
        challenge.extend((now + limits::CHALLENGE_TIME).to_be_bytes());
        let tag = hmac::sign(&self.0, &[LABEL, &challenge].concat());
        challenge.extend(tag.as_ref());
        Ok(challenge)
    }

    /// When it expires, if it is ours and has not.
    pub(crate) fn check(&self, challenge: &[u8], now: Time) -> Option<Time> {
        let (content, tag) = challenge.split_at_checked(RANDOM + TIME)?;
        hmac::verify(&self.0, &[LABEL, content].concat(), tag).ok()?;
        let expires = Time::from_be_bytes(content.split_at_checked(RANDOM)?.1.try_into().ok()?);
        (now < expires).then_some(expires)
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Problem::Internal)?;
    Ok(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

pub(crate) fn new_token() -> Result<Bytes, Problem> {
    Ok(Bytes(random::<32>()?.to_vec()))
}

/// The hash under which a token is looked up: whoever reads the database has no token, and 256 random bits need no slow hash.
pub(crate) fn token_hash(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = Bytes::from_text(token)?.0;
    (token.len() == 32).then(|| sha256(&token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_known_until_it_expires_and_not_if_anything_is_changed() {
        let challenges = Challenges::new(&[1; 32]);
        let challenge = challenges.make(1000).unwrap();
        assert_eq!(challenges.check(&challenge, 1299), Some(1300));
        assert_eq!(challenges.check(&challenge, 1300), None);
        assert_eq!(Challenges::new(&[2; 32]).check(&challenge, 1000), None);
        for place in 0..challenge.len() {
            let mut changed = challenge.clone();
            changed[place] ^= 1;
            assert_eq!(challenges.check(&changed, 1000), None, "byte {place}");
        }
        for length in 0..challenge.len() {
            assert_eq!(challenges.check(&challenge[..length], 1000), None);
        }
    }
}
