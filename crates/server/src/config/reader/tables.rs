//! Options that are kept together: tables, and lists of them.

use serde_json::{Map, Value};

use super::{Curiosity, Reader, look_up};
use crate::config::catalogue::Kind;

impl<'a> Reader<'a> {
    /// Options that are kept together, read by a reader of their own.
    pub(in crate::config) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> T {
        let layers = self.layers.iter().filter_map(|(layer, values)| Some((*layer, look_up(values, key)?)));
        let tables = layers.clone().filter_map(|(layer, value)| Some((layer, value.as_object()?))).collect();
        let wrong = layers.filter(|(_, value)| !value.is_object());
        let setting = self.full(key);
        let mut problems: Vec<_> =
            wrong.map(|(layer, _)| self.problem(layer, &setting, "a table of options is wanted")).collect();
        self.known.push(key);
        let mut inner = Reader::at(tables, format!("{setting}."), self.curiosity);
        let value = read(&mut inner);
        self.problems.append(&mut problems);
        self.take_in(inner);
        value
    }

    /// The elements of a list of tables, each with a reader of its own that is called what `name` says of it.
    pub(in crate::config) fn tables<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        name: impl Fn(usize, &Map<String, Value>) -> String,
        mut read: impl FnMut(&mut Reader<'a>) -> T,
    ) -> Vec<T> {
        self.note(key, doc, Kind::Tables, None);
        if self.curiosity == Curiosity::All {
            let mut element = Reader::at(Vec::new(), format!("{}{key}[].", self.place), self.curiosity);
            read(&mut element);
            self.entries.append(&mut element.entries);
        }
        let Some(found) = self.find(key, doc) else { return Vec::new() };
        let tables: Option<Vec<_>> =
            found.value.as_array().and_then(|list| list.iter().map(Value::as_object).collect());
        let Some(tables) = tables else {
            self.wrong(&found, "a list of tables is wanted");
            return Vec::new();
        };
        let mut all = Vec::new();
        for (number, table) in tables.into_iter().enumerate() {
            let place = format!("{}{key}[{}].", self.place, name(number, table));
            let layers = vec![(found.layer, table)];
            let mut element = Reader::at(layers, place, self.curiosity);
            all.push(read(&mut element));
            self.take_in(element);
        }
        all
    }

    /// Takes over what a reader of a part has noted.
    fn take_in(&mut self, part: Reader<'a>) {
        let mut report = part.finish();
        self.problems.append(&mut report.problems);
        self.entries.append(&mut report.entries);
    }
}
