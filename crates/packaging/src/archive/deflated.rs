//! Files that libdeflate compresses, sooner and smaller than zlib does (docs/performance.md).

use std::io::{Cursor, Write};

use libdeflater::{CompressionLvl, Compressor, crc32};
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};
use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};
use zip::write::ZipWriter;

/// What it is called until it is copied.
const NAME: &str = "file";

/// One compressed file, in an archive of its own.
pub(super) struct Deflated(ZipArchive<Cursor<Vec<u8>>>);

impl Deflated {
    /// Compresses a file's content.
    ///
    /// # Errors
    /// When `level` is not one of libdeflate's.
    pub(super) fn new(bytes: &[u8], mode: u32, level: i32) -> ZipResult<Deflated> {
        let level = CompressionLvl::new(level).map_err(|_| other(format!("libdeflate has no level {level}")))?;
        let mut compressor = Compressor::new(level);
        let mut compressed = vec![0; compressor.deflate_compress_bound(bytes.len())];
        let length = compressor.deflate_compress(bytes, &mut compressed).map_err(|error| other(error.to_string()))?;
        let mut archive = ZipArchiveWriter::new(Vec::with_capacity(length + 200));
        let file = archive.new_file(NAME).compression_method(CompressionMethod::DEFLATE).unix_permissions(mode);
        let (mut entry, _) = file.start().map_err(|error| other(error.to_string()))?;
        entry.write_all(&compressed[..length])?;
        let descriptor = DataDescriptorOutput::new(crc32(bytes), bytes.len() as u64);
        entry.finish(descriptor).map_err(|error| other(error.to_string()))?;
        let archive = archive.finish().map_err(|error| other(error.to_string()))?;
        Ok(Deflated(ZipArchive::new(Cursor::new(archive))?))
    }

    /// Adds it to a zip as `name`.
    ///
    /// # Errors
    /// When the zip would be too large for its format.
    pub(super) fn copy(mut self, name: &str, to: &mut ZipWriter<Cursor<Vec<u8>>>) -> ZipResult<()> {
        to.raw_copy_file_rename(self.0.by_index_raw(0)?, name)
    }
}

fn other(error: String) -> ZipError {
    std::io::Error::other(error).into()
}
