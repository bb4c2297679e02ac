//! Random nonces, several at a time: the generator's own cost is the same for one and for many.

use std::cell::RefCell;

use libcrux_chacha20poly1305::xchacha20_poly1305::NONCE_LEN;

use super::error::StorageError;
use crate::crypto::random_array;

pub(super) type Nonce = [u8; NONCE_LEN];

/// Nonces drawn at once.
const DRAWN: usize = 32;

/// Nonces that were drawn and not used yet. Each is handed out once; they are no secret.
#[derive(Default)]
pub(super) struct Nonces(RefCell<Vec<Nonce>>);

impl Nonces {
    pub(super) fn next(&self) -> Result<Nonce, StorageError> {
        let mut drawn = self.0.borrow_mut();
        if let Some(nonce) = drawn.pop() {
            return Ok(nonce);
        }
        let random: [u8; DRAWN * NONCE_LEN] = random_array().map_err(|_| StorageError::Crypto)?;
        let (nonces, _) = random.as_chunks();
        drawn.extend_from_slice(nonces);
        drawn.pop().ok_or(StorageError::Crypto)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DRAWN, Nonces};

    #[test]
    fn no_nonce_comes_twice() {
        let nonces = Nonces::default();
        let count = 3 * DRAWN;
        let drawn: BTreeSet<_> = (0..count).map(|_| nonces.next().unwrap()).collect();
        assert_eq!(drawn.len(), count);
    }
}
