//! Gzip, just enough to send packed bodies.

/// The bytes in stored blocks: as long as they were, and valid.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("one stored block holds 65,535 bytes");
    let mut deflated = vec![1];
    deflated.extend(length.to_le_bytes());
    deflated.extend((!length).to_le_bytes());
    deflated.extend(bytes);
    member(&deflated, bytes)
}

/// 1 + 258 · `runs` spaces, about 160 times as short as they unpack to.
pub(crate) fn spaces(runs: usize) -> Vec<u8> {
    let mut bits = vec![1, 1, 0]; // the last block, fixed codes
    push(&mut bits, 0x30 + 0x20, 8); // a space
    for _ in 0..runs {
        push(&mut bits, 0b1100_0101, 8); // the 258 bytes …
        push(&mut bits, 0, 5); // … that start one byte back
    }
    push(&mut bits, 0, 7); // the end
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
    let deflated: Vec<u8> = bits.chunks(8).map(byte).collect();
    member(&deflated, &vec![b' '; 1 + 258 * runs])
}

fn push(bits: &mut Vec<u8>, code: u8, length: u8) {
    bits.extend((0..length).rev().map(|i| code >> i & 1));
}

fn member(deflated: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(deflated);
    file.extend(crc32(bytes).to_le_bytes());
    file.extend(
        u32::try_from(bytes.len())
            .expect("less than 4 GiB")
            .to_le_bytes(),
    );
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    })
}
