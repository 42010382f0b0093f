//! Every constraint is needed: without it, values that no artifact has would be accepted.
//!
//! A constraint is *killed* by values that break it and no other. They are searched from those of some artifacts: one, two or
//! three values are changed, what depends on them is computed again, and public inputs are chosen to fit.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::OnceLock,
};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup as _, Field as _};
use greenlight_artifact::Schema;
use rayon::prelude::*;

use super::{row, values};
use crate::{builder::Form, proof::PUBLIC_INPUTS, r1cs, statement::built};

fn section(name: &str, number: usize) -> Range<usize> {
    let sections = &built().sections;
    let (at, (_, start)) =
        sections.iter().enumerate().filter(|(_, (found, _))| *found == name).nth(number).unwrap();
    *start..sections.get(at + 1).map_or(r1cs().num_constraints(), |(_, end)| *end)
}

/// The constraints before the commitment's in which each variable is.
fn uses() -> &'static Vec<Vec<usize>> {
    static USES: OnceLock<Vec<Vec<usize>>> = OnceLock::new();
    USES.get_or_init(|| {
        let mut uses = vec![Vec::new(); r1cs().num_variables()];
        for constraint in 0..section("commitment", 0).start {
            for variable in variables(constraint) {
                if variable > 0 {
                    uses[variable].push(constraint);
                }
            }
        }
        uses
    })
}

fn variables(constraint: usize) -> BTreeSet<usize> {
    let rows = r1cs().matrices.iter().flat_map(|matrix| &matrix[constraint]);
    rows.map(|(_, variable)| *variable).collect()
}

/// Values of which some were changed.
#[derive(Clone)]
struct Changed<'a> {
    base: &'a [Fr],
    changes: BTreeMap<usize, Fr>,
}

impl Changed<'_> {
    fn get(&self, variable: usize) -> Fr {
        self.changes.get(&variable).copied().unwrap_or(self.base[variable])
    }

    fn forms(&self, constraint: usize) -> [Fr; 3] {
        r1cs().matrices.each_ref().map(|matrix| {
            matrix[constraint].iter().map(|(factor, at)| *factor * self.get(*at)).sum()
        })
    }

    fn holds(&self, constraint: usize) -> bool {
        let [a, b, c] = self.forms(constraint);
        a * b == c
    }

    /// The value that a constraint gives its variable, which is the other one of a choice if so wanted.
    fn solve(&self, constraint: usize, other: bool) -> Option<(usize, Fr)> {
        let [a, b, c] = self.forms(constraint);
        match built().forms[constraint] {
            Form::Choice(variable) => {
                let base = Changed { base: self.base, changes: BTreeMap::new() };
                let [low, _, _] = base.forms(constraint);
                let side = if (low == Fr::ZERO) == other { b } else { a };
                Some((variable, self.get(variable) - side))
            }
            Form::Product(variable) => Some((variable, a * b)),
            Form::Quotient(variable) => {
                Some((variable, a.inverse().map_or(Fr::ZERO, |inverse| c * inverse)))
            }
            Form::Equal => {
                let [(_, variable)] = r1cs().matrices[2][constraint][..] else {
                    return None;
                };
                (1..=PUBLIC_INPUTS).contains(&variable).then_some((variable, a))
            }
            Form::Select | Form::Boolean => None,
        }
    }

    /// Sets a variable and computes what depends on it, except by the constraint to be killed and of variables set before.
    fn set(&mut self, variable: usize, value: Fr, kill: usize, fixed: &[usize]) {
        self.changes.insert(variable, value);
        let mut queue: BTreeSet<usize> = uses()[variable].iter().copied().collect();
        while let Some(constraint) = queue.pop_first() {
            if constraint == kill || self.holds(constraint) {
                continue;
            }
            if let Some((solved, value)) = self.solve(constraint, false)
                && solved != variable
                && !fixed.contains(&solved)
                && self.get(solved) != value
            {
                self.changes.insert(solved, value);
                queue.extend(uses()[solved].iter().copied().filter(|next| *next > constraint));
            }
        }
    }

    fn broken(&self) -> BTreeSet<usize> {
        let touched: BTreeSet<usize> =
            self.changes.keys().flat_map(|variable| uses()[*variable].iter().copied()).collect();
        touched.into_iter().filter(|constraint| !self.holds(*constraint)).collect()
    }
}

/// Which constraint makes a variable; none makes selectors and inputs.
fn maker(variable: usize) -> Option<usize> {
    static MAKERS: OnceLock<BTreeMap<usize, usize>> = OnceLock::new();
    let makers = MAKERS.get_or_init(|| {
        let made = |(constraint, form): (usize, &Form)| match form {
            Form::Choice(made) | Form::Product(made) | Form::Quotient(made) => {
                Some((*made, constraint))
            }
            _ => None,
        };
        built().forms.iter().enumerate().filter_map(made).collect()
    });
    makers.get(&variable).copied()
}

/// The other value that a variable may have.
fn flipped(values: &Changed<'_>, variable: usize) -> Option<Fr> {
    match maker(variable) {
        Some(constraint) => match built().forms[constraint] {
            Form::Choice(_) => values.solve(constraint, true).map(|(_, value)| value),
            _ => None,
        },
        None if variable > PUBLIC_INPUTS => Some(Fr::ONE - values.get(variable)),
        None => Some(values.get(variable) + Fr::ONE),
    }
}

/// Whether some change of a base breaks this constraint and no other: of one value, or of up to three.
fn killed(kill: usize, base: &[Fr], one_alone: bool) -> bool {
    let only = BTreeSet::from([kill]);
    let start = Changed { base, changes: BTreeMap::new() };
    // Something outside the constraint's own variable is wrong.
    let of_kill: Vec<usize> =
        variables(kill).into_iter().filter(|variable| *variable > 0).collect();
    for variable in of_kill.iter().rev().take(80) {
        if let Some(value) = flipped(&start, *variable) {
            let mut one = start.clone();
            one.set(*variable, value, kill, &[]);
            let broken = one.broken();
            if broken == only {
                return true;
            }
            if one_alone || broken.len() > 3 {
                continue;
            }
            let others: BTreeSet<usize> = broken.iter().flat_map(|k| variables(*k)).collect();
            for other in
                others.into_iter().filter(|other| *other > PUBLIC_INPUTS && other != variable)
            {
                let Some(value) = flipped(&one, other) else { continue };
                let mut two = one.clone();
                two.set(other, value, kill, &[*variable]);
                if two.broken() == only {
                    return true;
                }
            }
        }
    }
    // Its own variable is.
    let (Form::Choice(own) | Form::Product(own) | Form::Quotient(own)) = built().forms[kill] else {
        return false;
    };
    let more = (0..13).flat_map(|bit| [Fr::from(1_u64 << bit), -Fr::from(1_u64 << bit)]);
    for more in more {
        let mut one = start.clone();
        one.set(own, base[own] + more, kill, &[]);
        let broken = one.broken();
        if broken == only {
            return true;
        }
        if one_alone || !broken.contains(&kill) || broken.len() > 3 {
            continue;
        }
        let others: BTreeSet<usize> =
            broken.iter().filter(|k| **k != kill).flat_map(|k| variables(*k)).collect();
        let others: Vec<usize> = others
            .into_iter()
            .filter(|other| *other > PUBLIC_INPUTS && *other != own)
            .take(100)
            .collect();
        for other in &others {
            let Some(value) = flipped(&one, *other) else { continue };
            let mut two = one.clone();
            two.set(*other, value, kill, &[own]);
            let broken = two.broken();
            if broken == only {
                return true;
            }
            if broken.len() > 2 {
                continue;
            }
            for third in others.iter().filter(|third| *third > other) {
                let Some(value) = flipped(&two, *third) else { continue };
                let mut three = two.clone();
                three.set(*third, value, kill, &[own, *other]);
                if three.broken() == only {
                    return true;
                }
            }
        }
    }
    false
}

/// Kind `k` is of class `1 + k % 7`, at cost 1.
fn schema() -> Schema {
    Schema { word: std::array::from_fn(|kind| ((1 + kind as u8 % 7) << 4) | 1), ..Schema::ENGINE_1 }
}

/// Three rows, of which the last is in question.
fn bases() -> Vec<Vec<Fr>> {
    let long = "z23456789012345678901234567890z";
    let v6 = |length: u8, address: u128| [&address.to_be_bytes()[..], &[length]].concat();
    let mut thirds: Vec<Vec<u8>> = vec![
        row("b", 0, 0, 5, b""),
        row("b", 31, 0, 5, b"b"),
        row(long, 1, 0, 5, b"token of twenty-eight chars."),
        row("c", 1, 0, -10_000, b"a"),
        row("c", 2, 0, 10_000, b"TEXT-of-twenty-eight-chars!!"),
        row("c", 2, 0, 10_000, b"Te"),
        row(long, 3, 0, 9_000, b"name-of-twenty-eight-chars-9"),
        row(long, 3, 1, -9_000, b"name"),
        row("c", 3, 2, 1, b"name:value of twenty-eight--"),
        row("c", 3, 3, 1, b"n:v"),
        row("c", 3, 2, 1, b"name-of-twenty-six-chars.:"),
        row("c", 3, 2, 1, b"name-of-twenty-six-chars-z:v"),
        row("c", 4, 0, 1, [255, 255, 255, 255, 32]),
        row("c", 4, 0, 1, [10, 0, 0, 0, 8]),
        row("c", 4, 0, 1, [0; 5]),
        row("c", 5, 0, 1, v6(128, u128::MAX)),
        row("c", 5, 0, 1, v6(61, 0xffff << 112)),
        row("c", 5, 0, 1, v6(3, 7 << 125)),
        row("c", 6, 0, 1, u64::MAX.to_be_bytes()),
        row("c", 6, 0, 1, 7_u64.to_be_bytes()),
        row("ab", 7, 0, 1, b""),
        vec![0; 64],
    ];
    // Keys that differ from the one before at each chunk.
    for at in 1..31 {
        let mut key = "a".repeat(31);
        key.replace_range(at..=at, "f");
        thirds.push(row(&key, 30, 0, 0, b"a"));
    }
    let mut all = Vec::new();
    let header = |rows: u16| {
        let mut bytes = b"GLFF\0\x01".to_vec();
        bytes.extend(rows.to_be_bytes());
        bytes.extend([0x55, 0xaa, 0x55, 0xaa, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        bytes.resize(32, 0);
        bytes.extend(b"label of thirty-one characters.\0");
        bytes
    };
    let first = row("a", 8, 0, 0, b"x");
    let second = row("a".repeat(31), 9, 0, 0, b"y");
    for third in &thirds {
        all.push([header(3), first.clone(), second.clone(), third.clone()].concat());
        all.push([header(1), third.clone()].concat());
    }
    // A row behind one that is absent, and none at all.
    all.push([header(3), first.clone(), vec![0; 64], second.clone()].concat());
    all.push([header(2), vec![0; 64], first.clone()].concat());
    all.push([header(2), first, second].concat());
    all.push([header(1), vec![0; 64]].concat());
    all.iter()
        .map(|bytes| {
            let mut values = values(bytes, &schema());
            // The context's rows are those that are there.
            let contexts = (section("sums", 0)).filter(|k| built().forms[*k] == Form::Equal);
            for constraint in contexts {
                let changed = Changed { base: &values, changes: BTreeMap::new() };
                if let Some((variable, value)) = changed.solve(constraint, false) {
                    values[variable] = value;
                }
            }
            values
        })
        .collect()
}

/// Schema, header, sums, the first row and the third, which the other rows are like by `rows_are_the_third_shifted`.
#[test]
fn every_constraint_is_killed() {
    let (mut good, mut already) = (Vec::new(), BTreeSet::new());
    for base in bases() {
        let whole = Changed { base: &base, changes: BTreeMap::new() };
        let broken: Vec<usize> =
            (0..section("commitment", 0).start).filter(|k| !whole.holds(*k)).collect();
        match broken[..] {
            [] => good.push(base),
            [kill] => {
                already.insert(kill);
            }
            _ => {}
        }
    }
    assert!(good.len() > 60 && already.len() >= 2, "{} bases, {already:?}", good.len());
    let ranges = ["schema", "header", "first row", "sums"].map(|name| section(name, 0));
    let alive: Vec<(usize, Form)> = ranges
        .into_iter()
        .chain([section("row", 1)])
        .flatten()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter(|kill| {
            let by = |one| good.iter().any(|base| killed(*kill, base, one));
            !already.contains(kill) && !by(true) && !by(false)
        })
        .map(|kill| (kill, built().forms[kill]))
        .collect();
    assert!(alive.is_empty(), "{alive:?}");
}

#[test]
fn rows_are_the_third_shifted() {
    let beginning = |number: usize| match built().forms[section("row", number).start] {
        Form::Choice(variable) => variable,
        form => panic!("row {number} begins with {form:?}"),
    };
    // Variables of the schema come first of all; then those of the row itself and of the one before.
    let schema_end = 1 + PUBLIC_INPUTS + 256;
    let (third, own) = (section("row", 1), beginning(1));
    for number in 0..199 {
        let row = section("row", number);
        assert_eq!(row.len(), third.len());
        for (one, other) in third.clone().zip(row) {
            for matrix in &r1cs().matrices {
                // The row before the second has no variables for the order: there they stand elsewhere.
                let relative = |constraint: usize, beginning: usize| -> Vec<(Fr, isize)> {
                    let terms = matrix[constraint].iter().filter(|(_, variable)| {
                        number > 0 || *variable < schema_end || *variable >= beginning
                    });
                    let place = |variable: usize| match variable {
                        _ if variable < schema_end => variable as isize - (1 << 20),
                        _ => variable as isize - beginning as isize,
                    };
                    terms.map(|(factor, variable)| (*factor, place(*variable))).collect()
                };
                let (expected, found) = (relative(one, own), relative(other, beginning(number)));
                assert_eq!(found, expected, "row {number}, constraint {one}");
                assert_eq!(
                    matrix[one].len(),
                    matrix[other].len(),
                    "row {number}, constraint {one}"
                );
            }
        }
    }
}

/// Each constraint of the permutations makes one new variable, a product, and what is made of the last ones is the public
/// commitment. So they can be satisfied for any elements, by one choice of values; and if one of them is left out, its
/// variable is free: any other value, with all later ones computed from it, breaks that constraint and no other.
#[test]
fn the_commitment_s_constraints_are_killed_by_their_own_variables() {
    let all = section("commitment", 0);
    let (last, products) = (all.end - 1, all.start..all.end - 1);
    let mut known = r1cs().num_variables() - products.len();
    for constraint in products {
        assert_eq!(built().forms[constraint], Form::Product(known));
        let [a, b, c] = r1cs().matrices.each_ref().map(|matrix| &matrix[constraint]);
        assert_eq!(c[..], [(Fr::ONE, known)]);
        assert!(a.iter().chain(b).all(|(_, variable)| *variable < known));
        known += 1;
    }
    assert_eq!(known, r1cs().num_variables());
    // The equality with the public commitment, which is in no other constraint: another commitment breaks it alone.
    assert_eq!(r1cs().matrices[2][last][..], [(Fr::ONE, 1)]);
    assert!(uses()[1].is_empty());
    let all_but_last = (0..last).all(|constraint| !variables(constraint).contains(&1));
    assert!(all_but_last);
}
