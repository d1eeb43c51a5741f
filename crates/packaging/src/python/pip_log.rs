//! Which places offered a package, by pip's log: pip installs the highest version from any of its indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::requirement::normalised;
use super::wheel::of_file;
use crate::{address, digest};

/// A file that pip was offered.
#[derive(Debug)]
struct Offer {
    file: String,
    version: String,
    /// `sha256=…`, if the place provides it.
    digest: Option<String>,
    /// The page of the index, or the `--find-links` location.
    place: String,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    offers: BTreeMap<String, Vec<Offer>>,
    /// The page of the first index.
    main: BTreeMap<String, String>,
}

impl Log {
    pub(super) fn parse(text: &str) -> Log {
        let mut log = Log::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some((_, name)) = line.split_once("location(s) to search for versions of ") {
                let first = lines.peek().and_then(|line| line.split_once("* ")).map(|(_, page)| page.trim().to_owned());
                log.main.extend(first.map(|page| (normalised(name.trim_end_matches(':').trim()), page)));
            }
            if let Some((name, offer)) = line.contains(" link").then(|| offer(line)).flatten() {
                log.offers.entry(name).or_default().push(offer);
            }
        }
        log
    }

    /// The versions of a package that any place offers, in any form.
    pub(super) fn versions(&self, name: &str) -> Vec<Version> {
        let offers = self.offers.get(name).into_iter().flatten();
        offers.filter_map(|offer| Version::from_str(&offer.version).ok()).collect()
    }

    /// Two places that have a package, if pip may have used the wrong one because nothing declares which one to use.
    /// `names_main` is whether the first index was configured.
    pub(super) fn doubtful(&self, name: &str, version: &str, names_main: bool) -> Option<(String, String)> {
        let offers = self.offers.get(name)?;
        let places: BTreeSet<&str> = offers.iter().map(|offer| &*offer.place).collect();
        let taken: Vec<&Offer> = offers.iter().filter(|offer| offer.version == version).collect();
        let main = self.main.get(name).map(String::as_str);
        let first = taken.first()?;
        let is_same =
            |offer: &&Offer| offer.file == first.file && offer.digest.is_some() && offer.digest == first.digest;
        let taken_places: BTreeSet<&str> = taken.iter().map(|offer| &*offer.place).collect();
        let other = places.iter().find(|place| !taken_places.contains(*place)).copied();
        // A place with precedence over the default index had it, and no other had the same version.
        let is_local = first.place.starts_with("file:");
        let is_extra = !names_main && main != Some(&*first.place) && !address::is_public(&first.place);
        let is_private = taken_places.len() == 1 && (is_local || is_extra);
        if places.len() < 2 || is_private || (other.is_none() && taken.iter().all(is_same)) {
            return None;
        }
        let other = other.or_else(|| taken_places.iter().find(|place| **place != first.place).copied())?;
        let shown = |place: &str| address::without_credentials(place).into_owned();
        Some((shown(&first.place), shown(other)))
    }
}

/// `Found link URL (from PAGE), version: …`, or `Skipping link: WHY: URL (from PAGE)`.
fn offer(line: &str) -> Option<(String, Offer)> {
    let words = || line.split_whitespace();
    let link = words().find(|word| ["http://", "https://", "file://"].iter().any(|scheme| word.starts_with(scheme)))?;
    let link = link.trim_end_matches(',');
    let (address, fragment) = link.split_once('#').unwrap_or((link, ""));
    let file = percent_encoding::percent_decode_str(address.rsplit('/').next()?).decode_utf8().ok()?.into_owned();
    let (name, version) = of_file(&file)?;
    let page = line.split_once("(from ").and_then(|(_, page)| page.split([')', ' ']).next());
    // A file in a `--find-links` directory has no page.
    let place = page.unwrap_or_else(|| address.rsplit_once('/').map_or(address, |(directory, _)| directory)).to_owned();
    let named = fragment.starts_with("sha256=").then(|| fragment.to_owned());
    let digest = named.or_else(|| digest(address.strip_prefix("file://")?));
    let version = line.rsplit_once("version: ").map_or(version, |(_, version)| version.trim().to_owned());
    Some((name, Offer { file, version, digest, place }))
}

fn digest(path: &str) -> Option<String> {
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    Some(format!("sha256={}", digest::of_file(Path::new(&*path)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "2026-11-28T22:31:45,549 2 location(s) to search for versions of six:\n\
        2026-11-28T22:31:45,549 * http://main/simple/six/\n2026-11-28T22:31:45,549 * http://corp/simple/six/\n\
        2026-11-28T22:31:45,556   Found link http://main/files/six-9.0-py3-none-any.whl#sha256=aa (from http://main/simple/six/), version: 9.0\n";

    fn doubtful(offers: &str, version: &str, names_main: bool) -> bool {
        Log::parse(&format!("{HEAD}{offers}")).doubtful("six", version, names_main).is_some()
    }

    #[test]
    fn a_name_in_two_places_is_doubtful_unless_the_private_one_was_taken() {
        let corp = |version: &str, digest: &str| {
            format!(
                "x Found link http://corp/six-{version}-py3-none-any.whl#sha256={digest} (from http://corp/simple/six/) (requires-python:>=3), version: {version}\n"
            )
        };
        assert!(!doubtful("", "9.0", false));
        assert!(doubtful(&corp("1.0", "bb"), "9.0", false));
        assert!(!doubtful(&corp("10.0", "bb"), "10.0", false));
        assert!(doubtful(&corp("10.0", "bb"), "10.0", true));
        assert!(doubtful(&corp("9.0", "bb"), "9.0", false));
        assert!(!doubtful(&corp("9.0", "aa"), "9.0", false));
        // A file that pip cannot use counts, too.
        let sources = "x Skipping link: No binaries permitted for six: http://corp/six-1.0.tar.gz (from http://corp/simple/six/)\n";
        assert!(doubtful(sources, "9.0", false));
        assert!(doubtful("x Found link file:///w/six-1.0-py3-none-any.whl, version: 1.0\n", "9.0", false));
        assert!(!doubtful("x Skipping link: not a file: http://corp/simple/six/\n", "9.0", false));
    }
}
