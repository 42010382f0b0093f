//! Finding many texts in one pass.

use std::collections::{BTreeMap, VecDeque};

use greenlight_artifact::ARGUMENT_LEN;

use crate::fired::Fired;

/// Finds every text of a set that occurs in a haystack, overlapping ones too.
#[derive(Debug)]
pub(super) struct TextSet(Automaton);

/// Finds every text of a set that a haystack starts with.
#[derive(Debug)]
pub(super) struct PrefixSet(Automaton);

/// Rows by a whole word.
#[derive(Debug)]
pub(super) struct WordTable(Box<[(String, Fired)]>);

impl TextSet {
    /// Case-sensitive.
    pub(super) fn exact(texts: &BTreeMap<String, Fired>) -> Self {
        Self(Automaton::new(texts, Case::Exact, Anchor::Anywhere))
    }

    /// Without regard to ASCII case. The texts are in lower case.
    pub(super) fn folded(texts: &BTreeMap<String, Fired>) -> Self {
        Self(Automaton::new(texts, Case::Folded, Anchor::Anywhere))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    #[inline]
    pub(super) fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        self.0.scan(haystack, fired);
    }
}

impl PrefixSet {
    /// Case-sensitive.
    pub(super) fn new(texts: &BTreeMap<String, Fired>) -> Self {
        Self(Automaton::new(texts, Case::Exact, Anchor::Start))
    }

    #[inline]
    pub(super) fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        // No text is longer than an argument.
        self.0.scan(haystack.get(..ARGUMENT_LEN).unwrap_or(haystack), fired);
    }
}

impl WordTable {
    pub(super) fn new(words: BTreeMap<String, Fired>) -> Self {
        Self(words.into_iter().collect())
    }

    #[inline]
    pub(super) fn look_up(&self, word: &[u8], fired: &mut Fired) {
        if let Ok(at) = self.0.binary_search_by(|(known, _)| known.as_bytes().cmp(word))
            && let Some((_, rows)) = self.0.get(at)
        {
            fired.insert(rows);
        }
    }

    /// As [`WordTable::look_up`], where the table's words are in lower case and `word` may not be.
    #[inline]
    pub(super) fn look_up_folded(&self, word: &[u8], fired: &mut Fired) {
        let mut folded = [0; ARGUMENT_LEN];
        // No word of the table is longer.
        if let (false, Some(folded)) = (self.0.is_empty(), folded.get_mut(..word.len())) {
            folded.copy_from_slice(word);
            folded.make_ascii_lowercase();
            self.look_up(folded, fired);
        }
    }
}

/// The deterministic automaton of Aho and Corasick ("Efficient string matching", 1975), over classes of bytes.
///
/// The crate `aho-corasick` lists the matches at each position one by one: up to 28 at every byte where texts are
/// suffixes of one another, so that one artifact and one request together could slow scoring tenfold. Here each state
/// knows the rows of all texts that end in it, so that a byte costs one transition and at most one union, whatever the
/// artifact. On ordinary input the two are equally fast; this one is built in a quarter of the time, which is most of
/// the time that adopting an artifact takes.
#[derive(Debug)]
struct Automaton {
    /// The class of each byte; 0 for bytes that are in no text.
    classes: Box<[u8; 256]>,
    /// How many classes there are, and so how far two states are apart in `transitions`.
    stride: u32,
    /// By state plus class; a state is the position of its first transition. State 0 is the start.
    transitions: Box<[u32]>,
    /// States from here on have rows.
    first_final: u32,
    /// The rows of those states.
    rows: Box<[Fired]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Exact,
    Folded,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Anywhere,
    Start,
}

impl Automaton {
    #[inline]
    fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        if self.rows.is_empty() {
            return;
        }
        let mut state = 0_u32;
        for byte in haystack {
            let class = self.classes.get(usize::from(*byte)).copied().unwrap_or(0);
            state = self
                .transitions
                .get(state.wrapping_add(class.into()) as usize)
                .copied()
                .unwrap_or(0);
            if state >= self.first_final {
                let index =
                    state.wrapping_sub(self.first_final).checked_div(self.stride).unwrap_or(0);
                if let Some(rows) = self.rows.get(index as usize) {
                    fired.insert(rows);
                }
            }
        }
    }

    fn new(texts: &BTreeMap<String, Fired>, case: Case, anchor: Anchor) -> Self {
        let (classes, stride) = classes_of(texts, case);
        let class_of = |byte: u8| classes.get(usize::from(byte)).copied().unwrap_or(0).into();
        let mut trie = Trie::new(stride);
        for (text, rows) in texts {
            let end =
                text.bytes().fold(Trie::ROOT, |node, byte| trie.child_or_new(node, class_of(byte)));
            trie.add_rows(end, rows);
        }
        match anchor {
            Anchor::Anywhere => trie.follow_suffixes(),
            Anchor::Start => trie.end_at_mismatch(),
        }
        trie.into_automaton(classes)
    }
}

/// Gives each byte that occurs in a text a class of its own, and all others class 0.
fn classes_of(texts: &BTreeMap<String, Fired>, case: Case) -> (Box<[u8; 256]>, u32) {
    let mut classes = Box::new([0_u8; 256]);
    // Texts are ASCII: at most 128 classes beside class 0.
    let mut last = 0_u8;
    for byte in texts.keys().flat_map(|text| text.bytes()) {
        if classes.get(usize::from(byte)).is_some_and(|class| *class != 0) {
            continue;
        }
        last = last.saturating_add(1);
        let other = if case == Case::Folded { byte.to_ascii_uppercase() } else { byte };
        for byte in [byte, other] {
            if let Some(class) = classes.get_mut(usize::from(byte)) {
                *class = last;
            }
        }
    }
    (classes, u32::from(last).saturating_add(1))
}

/// The texts as a tree, on its way to an automaton. At most 200 texts of 28 bytes, and so 5 602 nodes.
struct Trie {
    stride: u32,
    /// By node times stride plus class.
    next: Vec<u32>,
    rows: Vec<Fired>,
}

impl Trie {
    const ROOT: u32 = 0;
    /// No node.
    const NONE: u32 = u32::MAX;

    fn new(stride: u32) -> Self {
        let mut trie = Self { stride, next: Vec::new(), rows: Vec::new() };
        trie.add_node();
        trie
    }

    fn add_node(&mut self) -> u32 {
        let node = self.rows.len() as u32;
        self.rows.push(Fired::NONE);
        self.next.resize(self.rows.len().saturating_mul(self.stride as usize), Self::NONE);
        node
    }

    const fn position(&self, node: u32, class: u32) -> usize {
        node.saturating_mul(self.stride).saturating_add(class) as usize
    }

    fn child(&self, node: u32, class: u32) -> u32 {
        self.next.get(self.position(node, class)).copied().unwrap_or(Self::NONE)
    }

    fn set_child(&mut self, node: u32, class: u32, child: u32) {
        let position = self.position(node, class);
        if let Some(next) = self.next.get_mut(position) {
            *next = child;
        }
    }

    fn child_or_new(&mut self, node: u32, class: u32) -> u32 {
        match self.child(node, class) {
            Self::NONE => {
                let child = self.add_node();
                self.set_child(node, class, child);
                child
            }
            child => child,
        }
    }

    fn rows(&self, node: u32) -> Fired {
        self.rows.get(node as usize).copied().unwrap_or_default()
    }

    fn add_rows(&mut self, node: u32, more: &Fired) {
        if let Some(rows) = self.rows.get_mut(node as usize) {
            rows.insert(more);
        }
    }

    /// At a mismatch, goes on with the longest suffix of what was read that is also in the tree; and a node ends all
    /// texts that its suffixes end.
    fn follow_suffixes(&mut self) {
        let mut suffixes = vec![Self::ROOT; self.rows.len()];
        // Breadth first: a suffix is nearer to the root than its node, and so complete before it.
        let mut queue = VecDeque::from([Self::ROOT]);
        while let Some(node) = queue.pop_front() {
            let suffix = suffixes.get(node as usize).copied().unwrap_or(Self::ROOT);
            self.add_rows(node, &self.rows(suffix));
            for class in 0..self.stride {
                let fallback =
                    if node == Self::ROOT { Self::ROOT } else { self.child(suffix, class) };
                match self.child(node, class) {
                    Self::NONE => self.set_child(node, class, fallback),
                    child => {
                        if let Some(suffix) = suffixes.get_mut(child as usize) {
                            *suffix = fallback;
                        }
                        queue.push_back(child);
                    }
                }
            }
        }
    }

    /// At a mismatch, goes to a node that nothing leaves.
    fn end_at_mismatch(&mut self) {
        let dead = self.add_node();
        for next in self.next.iter_mut().filter(|next| **next == Self::NONE) {
            *next = dead;
        }
    }

    /// Puts the nodes with rows last, so that one comparison tells them. The root has none and stays the first.
    fn into_automaton(self, classes: Box<[u8; 256]>) -> Automaton {
        let nodes = 0..self.rows.len() as u32;
        let (plain, finals): (Vec<u32>, Vec<u32>) =
            nodes.partition(|node| self.rows(*node).is_empty());
        let order = || plain.iter().chain(&finals).copied();
        let mut states = vec![0_u32; self.rows.len()];
        for (index, node) in (0_u32..).zip(order()) {
            if let Some(state) = states.get_mut(node as usize) {
                *state = index.saturating_mul(self.stride);
            }
        }
        let state_of = |node: u32| states.get(node as usize).copied().unwrap_or(0);
        let leave = |node| (0..self.stride).map(move |class| (node, class));
        Automaton {
            classes,
            stride: self.stride,
            transitions: order()
                .flat_map(leave)
                .map(|(node, class)| state_of(self.child(node, class)))
                .collect(),
            first_final: (plain.len() as u32).saturating_mul(self.stride),
            rows: finals.iter().map(|node| self.rows(*node)).collect(),
        }
    }
}
