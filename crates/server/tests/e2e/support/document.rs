//! The blocks of code in a page of the documentation, for tests that do what the page says.

use std::fs;

use super::require::repository;

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind the opening fence.
    pub(crate) language: String,
    /// What stands between the fences.
    pub(crate) text: String,
}

/// The blocks of a file of the repository, in their order.
pub(crate) fn blocks(path: &str) -> Vec<Block> {
    let page = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language: language.to_owned(), text: text.join("\n") });
        }
    }
    blocks
}

/// The texts of the blocks in this language.
pub(crate) fn in_language(path: &str, language: &str) -> Vec<String> {
    let blocks = blocks(path).into_iter().filter(|block| block.language == language);
    blocks.map(|block| block.text).collect()
}
