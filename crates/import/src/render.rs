//! Renders a draft as the text of a manifest.

use super::draft::{self, Draft, Entry};
use super::input::Rules;
use toml::Value;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Key};

/// The width of a comment, in columns.
const WIDTH: usize = 110;

/// The manifest: `heading` as a comment, then the tables, each with its keys before its arrays of tables.
pub(crate) fn render(heading: &str, draft: &Draft, rules: &dyn Rules) -> String {
    let mut renderer = Renderer { rules, document: DocumentMut::new(), above: heading.to_owned(), headers: 0 };
    for table in draft.tables() {
        let of_table = draft.items.iter().filter(|item| item.table == table);
        let (elements, others): (Vec<&draft::Item>, Vec<&draft::Item>) =
            of_table.partition(|item| matches!(item.entry, Entry::Element { .. }));
        if !table.is_empty() && !others.is_empty() {
            renderer.header(table, others.iter().any(|item| item.is_enabled()));
        }
        for item in others.into_iter().chain(elements) {
            renderer.entry(table, &item.entry);
        }
    }
    renderer.document.set_trailing(renderer.above);
    renderer.document.to_string()
}

struct Renderer<'a> {
    rules: &'a dyn Rules,
    document: DocumentMut,
    /// The comments above the next key or header, and the disabled items there.
    above: String,
    headers: isize,
}

impl Renderer<'_> {
    fn entry(&mut self, path: &[String], entry: &Entry) {
        let rules = self.rules;
        match entry {
            Entry::Comment(text) => self.above += &wrap(text, rules),
            Entry::LeftOver(left) => self.above += &wrap(&rules.printable(&format!("{left}.")), rules),
            Entry::Key { name, value, enabled: true } => {
                let mut name = key(name, rules);
                name.leaf_decor_mut().set_prefix(std::mem::take(&mut self.above));
                if let Some(table) = self.table(path) {
                    table.insert_formatted(&name, written(value, rules).into());
                }
            }
            Entry::Key { name, value, enabled: false } => self.disabled_key(name, value),
            Entry::Element { name, value, enabled: true } => {
                let mut element = toml_edit::Table::new();
                put(&mut element, self.next_place());
                for (name, value) in value {
                    element.insert_formatted(&key(name, rules), written(value, rules).into());
                }
                let array = || Item::ArrayOfTables(ArrayOfTables::new());
                let elements =
                    self.table(path).map(|table| table.entry_format(&key(name, rules)).or_insert_with(array));
                if let Some(elements) = elements.and_then(Item::as_array_of_tables_mut) {
                    elements.push(element);
                }
            }
            Entry::Element { name, value, enabled: false } => {
                self.above += &format!("\n#[[{}.{}]]\n", dotted(path, rules), key(name, rules));
                value.iter().for_each(|(name, value)| self.disabled_key(name, value));
            }
        }
    }

    fn disabled_key(&mut self, name: &str, value: &Value) {
        self.above += &format!("#{} = {}\n", key(name, self.rules), written(value, self.rules));
    }

    fn header(&mut self, path: &[String], enabled: bool) {
        if !enabled {
            self.above += &format!("\n#[{}]\n", dotted(path, self.rules));
            return;
        }
        let place = self.next_place();
        if let Some(table) = self.table(path) {
            put(table, place);
        }
    }

    /// The place below everything so far: its number, and the lines above it.
    fn next_place(&mut self) -> (isize, String) {
        self.headers += 1;
        (self.headers, std::mem::take(&mut self.above) + "\n")
    }

    /// The table at a path, which is made if it does not exist; `None` where a key has a value.
    fn table(&mut self, path: &[String]) -> Option<&mut toml_edit::Table> {
        let rules = self.rules;
        path.iter().try_fold(self.document.as_table_mut(), |table, name| {
            let without_header = || {
                let mut table = toml_edit::Table::new();
                table.set_implicit(true);
                Item::Table(table)
            };
            table.entry_format(&key(name, rules)).or_insert_with(without_header).as_table_mut()
        })
    }
}

/// Gives a table its header.
fn put(table: &mut toml_edit::Table, (number, above): (isize, String)) {
    table.set_implicit(false);
    table.set_position(Some(number));
    table.decor_mut().set_prefix(above);
}

fn dotted(path: &[String], rules: &dyn Rules) -> String {
    path.iter().map(|name| key(name, rules).to_string()).collect::<Vec<_>>().join(".")
}

fn key(name: &str, rules: &dyn Rules) -> Key {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let quoted = || quoted(name, rules).parse().ok();
    (!is_bare).then(quoted).flatten().unwrap_or_else(|| Key::new(name))
}

/// The value on one line, so that it can be a comment, too.
fn written(value: &Value, rules: &dyn Rules) -> toml_edit::Value {
    match value {
        Value::String(text) => quoted(text, rules).parse().unwrap_or_else(|_| text.into()),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Datetime(time) => (*time).into(),
        Value::Array(items) => items.iter().map(|item| written(item, rules)).collect(),
        Value::Table(table) => {
            let mut inline = InlineTable::new();
            for (name, value) in table {
                inline.insert_formatted(&key(name, rules), written(value, rules));
            }
            inline.into()
        }
    }
}

/// A string of TOML that is printable and still has the same value. `toml_edit` keeps this form.
fn quoted(text: &str, rules: &dyn Rules) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Two of them may begin a command of a CI system.
            '#' if out.ends_with('#') => out.push_str("\\u0023"),
            other if rules.printable(other.encode_utf8(&mut [0; 4])).starts_with('\\') => {
                out.push_str(&format!("\\U{:08X}", u32::from(other)));
            }
            other => out.push(other),
        }
    }
    out + "\""
}

/// The lines of a comment. No word of the template begins a line of its own.
pub(crate) fn wrap(comment: &str, rules: &dyn Rules) -> String {
    let mut lines = String::new();
    for paragraph in comment.lines() {
        let mut line = String::from("#");
        for word in paragraph.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if line.chars().count() + 1 + word.chars().count() > WIDTH && line != "#" {
                lines += &(line + "\n");
                line = String::from("#");
            }
            line += " ";
            line += &rules.printable(word);
        }
        lines += &(line + "\n");
    }
    lines
}
