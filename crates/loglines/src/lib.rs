//! Reads a log of any size line by line, in memory that does not grow, and only where the times may fit. A line is JSON
//! and begins with its time: `{"t":1700000000000,`.
//!
//! It is a crate of its own so that it is fast in debug builds, too: nothing here is generic, and it is small enough to
//! be optimised always.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

/// Milliseconds since 1970.
pub type Millis = i64;

/// How many bytes have one entry in an index, at least.
const BLOCK: u64 = 1024 * 1024;
/// How much is read at a time.
const BUFFER: usize = 256 * 1024;
/// A longer line is none that this cloud has written.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What every line begins with, before its time.
const BEFORE_TIME: &[u8] = b"{\"t\":";

/// One event as it was written.
pub struct Line<'a> {
    pub at: Millis,
    /// Its place in the stream, which it keeps.
    pub number: u64,
    /// In JSON.
    pub text: &'a [u8],
}

/// Who looks for events in a stream.
pub trait Search {
    /// Whether events from one time to another, both included, may be of interest.
    fn wants(&self, first: Millis, last: Millis) -> bool;
    /// One of them, of a time that is wanted.
    fn found(&mut self, line: &Line<'_>);
    /// Whether the search is for what was written last, so that it is better begun there.
    fn is_for_the_last(&self) -> bool {
        false
    }
}

/// Which times are where in a file. What was written before another file got its name, or was cut, is forgotten.
#[derive(Debug, Clone, Default)]
pub struct Index {
    inode: u64,
    blocks: Vec<Block>,
}

/// Neighbouring whole lines.
#[derive(Debug, Clone, Copy)]
struct Block {
    begin: u64,
    end: u64,
    /// The number of its first line.
    number: u64,
    lines: u64,
    first: Millis,
    last: Millis,
}

impl Block {
    fn at(begin: u64, number: u64) -> Self {
        Self { begin, end: begin, number, lines: 0, first: Millis::MAX, last: Millis::MIN }
    }
}

impl Index {
    /// The first and the last time.
    pub fn times(&self) -> Option<(Millis, Millis)> {
        let first = self.blocks.iter().map(|block| block.first).min()?;
        let last = self.blocks.iter().map(|block| block.last).max()?;
        (first <= last).then_some((first, last))
    }
}

/// Shows what a search wants of a file of this size and inode, and gives the index of all of it, made from what was known
/// of it.
///
/// # Errors
/// Those of the disk.
pub fn scan(file: &File, metadata: Metadata, known: Index, search: &mut dyn Search) -> io::Result<Index> {
    let (inode, size) = (metadata.ino(), metadata.len());
    let covered = known.blocks.last().map_or(0, |block| block.end);
    let mut index = if known.inode == inode && covered <= size { known } else { Index { inode, blocks: Vec::new() } };
    // The last block may have grown: it is read once more, with what is behind it.
    let open = index.blocks.pop_if(|block| block.end - block.begin < BLOCK);
    if search.is_for_the_last() {
        extend(&mut index, open, file, size, &mut Nothing)?;
        for block in index.blocks.iter().rev() {
            show_block(search, file, block)?;
        }
    } else {
        for block in &index.blocks {
            show_block(search, file, block)?;
        }
        extend(&mut index, open, file, size, search)?;
    }
    Ok(index)
}

/// A search that only wants an index to be made.
struct Nothing;

impl Search for Nothing {
    fn wants(&self, _: Millis, _: Millis) -> bool {
        false
    }

    fn found(&mut self, _: &Line<'_>) {}
}

fn show_block(search: &mut dyn Search, file: &File, block: &Block) -> io::Result<()> {
    if search.wants(block.first, block.last) {
        let mut lines = Lines::open(file, block.begin, block.end)?;
        let mut number = block.number;
        while let Some((text, _)) = lines.next()? {
            show(search, number, text);
            number += 1;
        }
    }
    Ok(())
}

/// Reads what an index does not cover, or only in a block that may grow, and shows it to a search.
fn extend(index: &mut Index, open: Option<Block>, file: &File, size: u64, search: &mut dyn Search) -> io::Result<()> {
    let next = index.blocks.last().map_or((0, 0), |block| (block.end, block.number + block.lines));
    let (begin, number) = open.map_or(next, |block| (block.begin, block.number));
    let mut block = Block::at(begin, number);
    let mut lines = Lines::open(file, begin, size)?;
    while let Some((text, end)) = lines.next()? {
        if let Some(at) = show(search, block.number + block.lines, text) {
            block.first = block.first.min(at);
            block.last = block.last.max(at);
        }
        block.lines += 1;
        block.end = end;
        if block.end - block.begin >= BLOCK {
            let next = Block::at(block.end, block.number + block.lines);
            index.blocks.push(std::mem::replace(&mut block, next));
        }
    }
    if block.lines > 0 {
        index.blocks.push(block);
    }
    Ok(())
}

/// Shows a line if its time is wanted; gives its time, if it has one.
fn show(search: &mut dyn Search, number: u64, text: &[u8]) -> Option<Millis> {
    let at = time_of(text)?;
    if search.wants(at, at) {
        search.found(&Line { at, number, text });
    }
    Some(at)
}

/// The time of a line, without parsing the line.
fn time_of(text: &[u8]) -> Option<Millis> {
    let rest = text.strip_prefix(BEFORE_TIME)?;
    let (sign, rest) = rest.strip_prefix(b"-").map_or((1, rest), |rest| (-1, rest));
    let mut at: Millis = 0;
    // Eighteen digits fit.
    for (place, byte) in rest.iter().take(19).enumerate() {
        match byte {
            b'0'..=b'9' if place < 18 => at = at * 10 + Millis::from(byte - b'0'),
            b',' if place > 0 => return Some(sign * at),
            _ => return None,
        }
    }
    None
}

/// Whether a text has another one in it.
pub fn contains(text: &str, part: &str) -> bool {
    text.contains(part)
}

/// The whole lines of a part of a file.
struct Lines<'a> {
    reader: BufReader<io::Take<&'a File>>,
    line: Vec<u8>,
    at: u64,
}

impl<'a> Lines<'a> {
    fn open(mut file: &'a File, begin: u64, end: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(begin))?;
        let reader = BufReader::with_capacity(BUFFER, file.take(end.saturating_sub(begin)));
        Ok(Self { reader, line: Vec::new(), at: begin })
    }

    /// The next line, and where it ends; none where the last line has no end yet.
    fn next(&mut self) -> io::Result<Option<(&[u8], u64)>> {
        self.line.clear();
        let mut count = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.line)? as u64;
        if count == LONGEST && self.line.last() != Some(&b'\n') {
            self.line = Vec::new();
            count += self.reader.skip_until(b'\n')? as u64;
        } else if self.line.pop_if(|byte| *byte == b'\n').is_none() {
            return Ok(None);
        }
        self.at += count;
        Ok(Some((&self.line, self.at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Between(Millis, Millis, Vec<(Millis, u64)>);

    impl Search for Between {
        fn wants(&self, first: Millis, last: Millis) -> bool {
            first <= self.1 && last >= self.0
        }

        fn found(&mut self, line: &Line<'_>) {
            self.2.push((line.at, line.number));
        }
    }

    fn found(path: &std::path::Path, index: &mut Index, from: Millis, to: Millis) -> Vec<(Millis, u64)> {
        let file = File::open(path).expect("the file");
        let mut search = Between(from, to, Vec::new());
        *index = scan(&file, file.metadata().expect("its size"), std::mem::take(index), &mut search).expect("scanned");
        search.2
    }

    #[test]
    fn an_index_finds_what_reading_all_of_it_finds() {
        let outer = tempfile::tempdir().expect("a directory");
        let path = outer.path().join("stream");
        let mut text = String::new();
        let mut index = Index::default();
        for round in 0..8_i64 {
            for place in 0..4000 {
                // Mostly in order, as what clients put late is not.
                let at = round * 4000 + if place % 100 == 0 { 0 } else { place };
                text.push_str(&format!("{{\"t\":{at},\"m\":\"{}\"}}\n", "x".repeat(100)));
            }
            std::fs::write(&path, format!("{text}{{\"t\":1,")).expect("written");
            let (from, to) = (round * 2000, round * 2000 + 50);
            let all = found(&path, &mut Index::default(), from, to);
            assert_eq!(found(&path, &mut index, from, to), all);
            assert!(!all.is_empty());
        }
        assert!(index.blocks.len() > 2, "{}", index.blocks.len());
        assert_eq!(index.times(), Some((0, 31_999)));
        // Another file of that name is another stream.
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, "{\"t\":-5,\"m\":\"y\"}\nnonsense\n{\"t\":7,\"m\":\"z\",\"p\":1}\n").expect("written");
        assert_eq!(found(&path, &mut index, -10, 10), [(-5, 0), (7, 2)]);
    }
}
