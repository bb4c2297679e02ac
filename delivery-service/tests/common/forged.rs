//! Messages with a real frame and nothing in it: a delivery service sees no more of one (RFC 9420, sections 6 and 6.3).

pub const APPLICATION: u8 = 1;
pub const PROPOSAL: u8 = 2;
pub const COMMIT: u8 = 3;

pub fn private_message(group: &[u8], epoch: u64, content_type: u8, content: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 2];
    message.extend(vector(group));
    message.extend(epoch.to_be_bytes());
    message.push(content_type);
    message.extend(vector(&[]));
    message.extend(vector(b"sender data"));
    message.extend(vector(content));
    message
}

/// Bytes with their length in front (RFC 9420, section 2.1.2).
fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut vector = match length {
        0..64 => vec![u8::try_from(length).unwrap()],
        64..16384 => u16::try_from(length | 0x4000).unwrap().to_be_bytes().to_vec(),
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    vector.extend(bytes);
    vector
}

/// For one newcomer whose key package nobody has.
pub fn welcome() -> Vec<u8> {
    let mut message = vec![0, 1, 0, 3, 0, 3];
    let ciphertext = [vector(&[1; 32]), vector(&[2; 48])].concat();
    let secrets = [vector(&[3; 32]), ciphertext].concat();
    message.extend(vector(&secrets));
    message.extend(vector(b"encrypted GroupInfo"));
    message
}
