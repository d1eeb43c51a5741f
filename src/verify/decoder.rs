//! Decodes a compressed body as it arrives, so that a check sees what a browser could show at that moment.

use super::body::Body;
use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;
use std::io::{self, Write};

/// A body and its encoding.
pub(super) enum Decoder {
    Plain(Box<Body>),
    Gzip(Box<MultiGzDecoder<Body>>),
    Brotli(Box<DecompressorWriter<Body>>),
}

impl Decoder {
    /// A decoder for this value of `content-encoding`. A body in another encoding stays as it is.
    pub(super) fn of(encoding: &str, body: Body) -> Decoder {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(MultiGzDecoder::new(body))),
            "br" => Decoder::Brotli(Box::new(DecompressorWriter::new(body, 4096))),
            _ => Decoder::Plain(Box::new(body)),
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Decoder::Plain(_))
    }

    /// What was decoded so far.
    pub(super) fn body(&self) -> &Body {
        match self {
            Decoder::Plain(body) => body,
            Decoder::Gzip(decoder) => decoder.get_ref(),
            Decoder::Brotli(decoder) => decoder.get_ref(),
        }
    }

    /// Decodes as much as these bytes allow.
    ///
    /// # Errors
    /// When the bytes are not in this encoding.
    pub(super) fn read(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writer: &mut dyn Write = match self {
            Decoder::Plain(body) => &mut **body,
            Decoder::Gzip(decoder) => &mut **decoder,
            Decoder::Brotli(decoder) => &mut **decoder,
        };
        writer.write_all(bytes)?;
        writer.flush()
    }

    /// Decodes what is left when the body has ended.
    ///
    /// # Errors
    /// When its end is missing.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Decoder::Plain(_) => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Brotli(decoder) => decoder.close(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::manifest::Check;
    use flate2::{Compression, write::GzEncoder};

    /// `hello` and `world` in gzip, each flushed, and the end.
    pub(in crate::verify) fn flushed() -> Vec<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let mut pieces = Vec::new();
        for text in ["hello ", "world"] {
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.flush().unwrap();
            pieces.push(std::mem::take(encoder.get_mut()));
        }
        pieces.push(encoder.finish().unwrap());
        pieces
    }

    /// `hello ` in Brotli, flushed, and `world`, as `brotli` 1.2.1 of Python and `zlib` of Node.js 20 write them.
    const BROTLI: [&[u8]; 2] = [b"\x8b\x02\x80hello ", b" \x00\x08world\x03"];

    #[test]
    fn what_is_flushed_is_decoded_at_once() {
        let mut decoder = Decoder::of("GZIP", Body::of(&Check::default()));
        let decoded: Vec<String> = flushed()
            .iter()
            .map(|piece| {
                decoder.read(piece).unwrap();
                String::from_utf8_lossy(&decoder.body().beginning).into_owned()
            })
            .collect();
        assert_eq!(decoded, ["hello ", "hello world", "hello world"]);
        assert!(decoder.finish().is_ok());
    }

    #[test]
    fn brotli_is_decoded_at_once() {
        let mut decoder = Decoder::of("br", Body::of(&Check::default()));
        for (piece, decoded) in BROTLI.iter().zip(["hello ", "hello world"]) {
            decoder.read(piece).unwrap();
            assert_eq!(String::from_utf8_lossy(&decoder.body().beginning), decoded);
        }
        assert!(decoder.finish().is_ok());
    }

    #[test]
    fn what_is_not_in_the_encoding_is_an_error() {
        for encoding in ["gzip", "br"] {
            let mut decoder = Decoder::of(encoding, Body::of(&Check::default()));
            assert!(decoder.read(b"hello, this is not compressed").is_err(), "{encoding}");
        }
        let mut cut = Decoder::of("gzip", Body::of(&Check::default()));
        cut.read(&flushed()[0]).unwrap();
        assert!(cut.finish().is_err());
    }
}
