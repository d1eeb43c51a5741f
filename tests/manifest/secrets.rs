//! No error shows a value of an environment, however the manifest is broken.

use super::fixtures::manifests;
use lamstream::manifest::parse;

/// What follows the beginning of an app with one function.
const SHAPES: [&str; 9] = [
    "[functions.f.environment]\nTOKEN = \"planted-secret\"\n[functions.g]\ncrate = \"c\"\n",
    "environment = { TOKEN = \"planted-secret\", A1 = 'planted-secret' }\n",
    "environment.TOKEN = \"planted-secret\"\nmemory = 256\n",
    "[functions.f.environment]\nTOKEN = \"\"\"\n[x]\nplanted-secret=\n\"\"\"\n",
    "[stages.s.functions.f.environment]\nTOKEN = 'planted-secret'\nregion = 1\n",
    "[functions.f.enviroment]\nTOKEN = 'planted-secret'\n",
    "environment = { TOKEN = { env = \"planted-secret\", file = 'planted-secret' } }\n",
    "url.auth = 'none'\n[functions.f.check]\npath = '/'\nbody = \"planted-secret\"\nheaders.token = 'planted-secret'\n",
    "url.auth = 'none'\ncheck = { path = '/', headers = { a = 'planted-secret' }, body = 'planted-secret' }\n",
];

fn shapes() -> impl Iterator<Item = String> {
    SHAPES.iter().map(|shape| format!("app = \"a\"\n[functions.f]\ncrate = \"c\"\n{shape}"))
}

/// All that a person may come to see.
fn shown(text: &str) -> String {
    match parse(text, None) {
        Ok(manifest) => format!("{manifest:?}"),
        Err(problems) => format!("{}\n{problems}\n{problems:?}", problems.render("deploy.toml", text)),
    }
}

fn assert_hidden(text: &str) {
    let shown = shown(text);
    // One of our keys is called `secret`.
    let shown = shown.replace("`secret`", "");
    assert!(!shown.contains("planted") && !shown.contains("secret"), "{text}\n---\n{shown}");
}

#[test]
fn no_fixture_shows_what_was_planted() {
    for (_, text) in manifests("bad").into_iter().chain(manifests("good")) {
        assert!(!shown(&text).contains("planted"), "{text}");
    }
}

/// Every shape with one character more at every place.
#[test]
fn a_slip_of_the_hand_shows_nothing() {
    for shape in shapes() {
        assert_hidden(&shape);
        for (place, _) in shape.char_indices() {
            for slip in ["\"", "'", "[", "]", "{", "}", "=", "\n", "#", ",", "\\", ".", " ", "é", "\t", "\"\"\"", "\r"]
            {
                assert_hidden(&format!("{}{slip}{}", &shape[..place], &shape[place..]));
            }
        }
    }
}

/// Every shape with one character less.
#[test]
fn a_missing_character_shows_nothing() {
    for shape in shapes() {
        for (place, character) in shape.char_indices() {
            assert_hidden(&format!("{}{}", &shape[..place], &shape[place + character.len_utf8()..]));
        }
    }
}

/// Every shape cut off at every place.
#[test]
fn half_a_manifest_shows_nothing() {
    for shape in shapes() {
        for (place, _) in shape.char_indices() {
            assert_hidden(&shape[..place]);
        }
    }
}
