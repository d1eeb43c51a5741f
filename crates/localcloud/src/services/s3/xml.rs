//! Reads the XML of requests.

use quick_xml::escape::unescape;
use quick_xml::events::Event;

/// The texts of all elements of this name, in their order.
pub(super) fn elements(body: &[u8], name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_reader(body);
    let (mut texts, mut inside) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == name => inside = Some(String::new()),
            Ok(Event::Empty(start)) if start.local_name().as_ref() == name => texts.push(String::new()),
            Ok(Event::Text(text)) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(entity)) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&format!("&{};", &*entity));
                }
            }
            Ok(Event::End(end)) if end.local_name().as_ref() == name => {
                let text = inside.take().unwrap_or_default();
                texts.push(unescape(&text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned));
            }
            Ok(Event::Eof) | Err(_) => return texts,
            Ok(_) => {}
        }
    }
}
