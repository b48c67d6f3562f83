//! Names of containers that nobody named (`github.com/moby/moby/internal/namesgenerator`): a word, and someone who is known for
//! work in the field. Ours are fewer.

use simulation::Sim;

const WORDS: &[&str] = &[
    "admiring", "agitated", "amazing", "bold", "brave", "busy", "charming", "clever", "cool", "determined", "eager", "elegant",
    "epic", "festive", "focused", "friendly", "gallant", "gifted", "great", "happy", "hopeful", "jolly", "keen", "kind",
    "laughing", "loving", "magical", "modest", "naughty", "nice", "nifty", "optimistic", "peaceful", "quirky", "relaxed",
    "serene", "sharp", "sleepy", "stoic", "sweet", "tender", "trusting", "upbeat", "vibrant", "vigilant", "wizardly", "youthful",
    "zealous",
];
const PEOPLE: &[&str] = &[
    "albattani", "allen", "babbage", "bardeen", "bell", "bhabha", "bohr", "carson", "cerf", "chandrasekhar", "curie", "darwin",
    "dijkstra", "easley", "einstein", "euclid", "euler", "fermat", "feynman", "franklin", "galileo", "gauss", "goldberg",
    "hamilton", "hawking", "hopper", "hypatia", "johnson", "kepler", "knuth", "lamarr", "lamport", "lovelace", "meitner",
    "mirzakhani", "newton", "noether", "nobel", "pascal", "perlman", "ritchie", "sammet", "shannon", "shirley", "tesla",
    "thompson", "torvalds", "turing", "wozniak", "wright", "yonath",
];

/// A name that `is_taken` does not know.
pub(super) fn draw(sim: &Sim, is_taken: impl Fn(&str) -> bool) -> String {
    let pick = |words: &'static [&'static str]| {
        let at = usize::try_from(sim.random_below(words.len() as u64)).unwrap_or(0);
        words[at]
    };
    let name = format!("{}_{}", pick(WORDS), pick(PEOPLE));
    if !is_taken(&name) {
        return name;
    }
    // All names may be taken: numbers never are.
    (1_u32..).map(|n| format!("{name}{n}")).find(|name| !is_taken(name)).unwrap_or(name)
}
