//! A list of members that costs little to keep and to change at the same time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use spanwire_wire::message::ClientInfo;

/// Most members in a page. A change copies a page of pointers, and one pointer to each page: for 10,000 members about 300 of
/// 8 bytes, and never more than twice as many.
const PAGE_MAX: usize = 64;

type Member = Arc<(String, ClientInfo)>;

/// Who is in a channel, by the id of their session and in the order of these.
///
/// A clone is the same list for nothing, and stays as it is when somebody comes or leaves: the next list shares with it
/// all but a page.
#[derive(Clone, Default)]
pub struct Members {
    /// None of them is empty, each begins behind the end of the one before, and two neighbours hold more than half of what
    /// fits into one.
    pages: Arc<Vec<Arc<Vec<Member>>>>,
    len: usize,
}

impl Members {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is known of the member with this id.
    pub fn get(&self, client: &str) -> Option<&ClientInfo> {
        let page = self.pages.get(self.page_of(client))?;
        place(page, client).ok().map(|at| &page[at].1)
    }

    /// All of them: the id of each one's session, and what is known of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ClientInfo)> {
        self.pages.iter().flat_map(|page| page.iter()).map(|member| (member.0.as_str(), &member.1))
    }

    /// The ids of their sessions.
    pub fn clients(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(client, _)| client)
    }

    pub(crate) fn insert(&mut self, client: &str, info: &ClientInfo) {
        let member = Arc::new((client.to_owned(), info.clone()));
        let index = self.page_of(client);
        let pages = Arc::make_mut(&mut self.pages);
        let Some(page) = pages.get_mut(index).map(Arc::make_mut) else {
            pages.push(Arc::new(vec![member]));
            self.len += 1;
            return;
        };
        match place(page, client) {
            Ok(at) => page[at] = member,
            Err(at) => {
                page.insert(at, member);
                self.len += 1;
                if page.len() > PAGE_MAX {
                    let behind = page.split_off(PAGE_MAX / 2);
                    pages.insert(index + 1, Arc::new(behind));
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, client: &str) {
        let index = self.page_of(client);
        let Some(at) = self.pages.get(index).and_then(|page| place(page, client).ok()) else { return };
        let pages = Arc::make_mut(&mut self.pages);
        Arc::make_mut(&mut pages[index]).remove(at);
        self.len -= 1;
        if pages[index].is_empty() {
            pages.remove(index);
            return;
        }
        // What is left joins the page before it or behind it if both are small, so that pages do not outlive the crowd that
        // they were for.
        let are_small = |two: &[Arc<Vec<Member>>]| two[0].len() + two[1].len() <= PAGE_MAX / 2;
        let mut pairs = index.saturating_sub(1)..=index;
        if let Some(first) = pairs.find(|&first| pages.get(first..first + 2).is_some_and(are_small)) {
            let behind = pages.remove(first + 1);
            Arc::make_mut(&mut pages[first]).extend(behind.iter().cloned());
        }
    }

    /// The page that holds this id, or would.
    fn page_of(&self, client: &str) -> usize {
        let begins_behind = self.pages.partition_point(|page| page[0].0.as_str() <= client);
        begins_behind.saturating_sub(1)
    }
}

fn place(page: &[Member], client: &str) -> Result<usize, usize> {
    page.binary_search_by(|member| member.0.as_str().cmp(client))
}

impl From<BTreeMap<String, ClientInfo>> for Members {
    fn from(members: BTreeMap<String, ClientInfo>) -> Self {
        let len = members.len();
        let mut pages = Vec::with_capacity(len.div_ceil(PAGE_MAX / 2));
        let mut members = members.into_iter().map(Arc::new).peekable();
        while members.peek().is_some() {
            pages.push(Arc::new(members.by_ref().take(PAGE_MAX / 2).collect()));
        }
        Self { pages: Arc::new(pages), len }
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    fn info(user: u32) -> ClientInfo {
        ClientInfo { user: user.to_string(), ..ClientInfo::default() }
    }

    #[test]
    fn a_list_is_what_a_map_would_be_whatever_comes_and_leaves() {
        let mut chance = StdRng::seed_from_u64(1);
        for crowd in [3, 200, 2_000] {
            let (mut members, mut model) = (Members::default(), BTreeMap::new());
            for step in 0..6_000 {
                // First they mostly come, and then they mostly leave.
                let client = format!("c{}", chance.random_range(0..crowd));
                if chance.random_bool(if step < 3_000 { 0.8 } else { 0.1 }) {
                    members.insert(&client, &info(step));
                    model.insert(client, info(step));
                } else {
                    members.remove(&client);
                    model.remove(&client);
                }
                assert_eq!(members.len(), model.len());
                if step % 100 == 0 {
                    assert_eq!(members, Members::from(model.clone()));
                    assert!(model.iter().all(|(client, info)| members.get(client) == Some(info)));
                    let pages = &members.pages;
                    assert!(pages.iter().all(|page| (1..=PAGE_MAX).contains(&page.len())), "{crowd}");
                    assert!(pages.windows(2).all(|two| two[0].last().unwrap().0 < two[1][0].0), "{crowd}");
                    let are_worth_it = |two: &[Arc<Vec<_>>]| two[0].len() + two[1].len() > PAGE_MAX / 2;
                    assert!(pages.windows(2).all(are_worth_it), "{crowd}");
                }
            }
        }
    }

    #[test]
    fn whoever_kept_a_list_keeps_it_and_shares_all_but_a_page_with_the_next() {
        let crowd = (0..10_000).map(|n| (format!("{n:05}"), info(n)));
        let before = Members::from(crowd.collect::<BTreeMap<_, _>>());
        let mut after = before.clone();
        after.insert("05000x", &info(0));
        after.remove("00001");
        assert_eq!((before.len(), after.len()), (10_000, 10_000));
        assert!(before.get("00001").is_some() && after.get("00001").is_none());
        let is_old = |page: &&Arc<Vec<Member>>| before.pages.iter().any(|old| Arc::ptr_eq(old, page));
        assert_eq!(after.pages.iter().filter(is_old).count(), before.pages.len() - 2);
    }
}
