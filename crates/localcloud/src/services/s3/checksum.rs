//! Checksums of requests: whether one was sent, and whether it is the body's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::services::call::Call;
use crate::wire::error::Fault;

/// What the names of all headers with a checksum begin with, and those of three that have none.
const PREFIX: &str = "x-amz-checksum-";
const WITHOUT_ONE: [&str; 3] = ["algorithm", "mode", "type"];

/// The polynomials of S3's cyclic redundancy checks, with the lowest bit first.
const CRC32: u64 = 0xedb8_8320;
const CRC32C: u64 = 0x82f6_3b78;
const CRC64NVME: u64 = 0x9a6c_9329_ac4b_c9b5;

/// Refuses a request whose checksum is not that of its body, and one without a checksum if the operation requires one.
///
/// # Errors
/// S3's own.
pub(super) fn check(call: &Call, required: bool) -> Result<(), Fault> {
    let checksums = given(call);
    let md5 = call.header("content-md5");
    match (&checksums[..], md5, call.header("x-amz-sdk-checksum-algorithm")) {
        ([_, _, ..], ..) => {
            Err(refused("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."))
        }
        ([], None, Some(_)) => Err(refused(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
        ([], None, None) if required => {
            Err(refused("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"))
        }
        _ => {
            md5.map_or(Ok(()), |given| check_md5(&call.body, given))?;
            checksums.first().map_or(Ok(()), |(algorithm, given)| check_one(&call.body, algorithm, given))
        }
    }
}

/// The checksums of a request, with the names of their algorithms.
pub(super) fn given(call: &Call) -> Vec<(&str, &str)> {
    let headers = call.parts.headers.iter();
    let checksums = headers
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(PREFIX)?, value.to_str().unwrap_or_default())));
    checksums.filter(|(name, _)| !WITHOUT_ONE.contains(name)).collect()
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidRequest", message)
}

fn check_md5(body: &[u8], given: &str) -> Result<(), Fault> {
    match STANDARD.decode(given) {
        Ok(sum) if sum[..] == Md5::digest(body)[..] => Ok(()),
        Ok(sum) if sum.len() == 16 => {
            Err(Fault::new(400, "BadDigest", "The Content-MD5 you specified did not match what we received."))
        }
        _ => Err(Fault::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")),
    }
}

/// A checksum of bytes.
///
/// # Errors
/// If this cloud does not know the algorithm.
pub(super) fn sum(algorithm: &str, body: &[u8]) -> Result<Vec<u8>, Fault> {
    Ok(match algorithm {
        "crc32" => crc(CRC32, 4, body),
        "crc32c" => crc(CRC32C, 4, body),
        "crc64nvme" => crc(CRC64NVME, 8, body),
        "md5" => Md5::digest(body).to_vec(),
        "sha1" => <Sha1 as sha1::Digest>::digest(body).to_vec(),
        "sha256" => Sha256::digest(body).to_vec(),
        "sha512" => Sha512::digest(body).to_vec(),
        other => {
            let message = format!("the local cloud cannot verify `{PREFIX}{other}`");
            return Err(Fault::new(501, "NotImplemented", message));
        }
    })
}

fn check_one(body: &[u8], algorithm: &str, given: &str) -> Result<(), Fault> {
    let sum = sum(algorithm, body)?;
    match STANDARD.decode(given) {
        Ok(given) if given == sum => Ok(()),
        Ok(given) if given.len() == sum.len() => {
            let algorithm = algorithm.to_uppercase();
            let message = format!("The {algorithm} you specified did not match the calculated checksum.");
            Err(Fault::new(400, "BadDigest", message))
        }
        _ => Err(refused(format!("Value for {PREFIX}{algorithm} header is invalid."))),
    }
}

/// The last `length` bytes of a cyclic redundancy check.
fn crc(polynomial: u64, length: usize, body: &[u8]) -> Vec<u8> {
    let step = |sum: u64| if sum & 1 == 1 { sum >> 1 ^ polynomial } else { sum >> 1 };
    let table: Vec<u64> = (0..256).map(|byte| (0..8).fold(byte, |sum, _| step(sum))).collect();
    let ones = u64::MAX >> (64 - 8 * length);
    let sum = body.iter().fold(ones, |sum, byte| table[(sum as u8 ^ byte) as usize] ^ sum >> 8);
    (sum ^ ones).to_be_bytes()[8 - length..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::{CRC32, CRC32C, CRC64NVME, crc};

    #[test]
    fn cyclic_redundancy_checks_have_their_published_values() {
        assert_eq!(crc(CRC32, 4, b"123456789"), 0xcbf4_3926_u32.to_be_bytes());
        assert_eq!(crc(CRC32C, 4, b"123456789"), 0xe306_9283_u32.to_be_bytes());
        assert_eq!(crc(CRC64NVME, 8, b"123456789"), 0xae8b_1486_0a79_9888_u64.to_be_bytes());
    }
}
