//! Constraints as they are written down: linear combinations, and the few forms that all of the circuit's constraints have.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "of field elements, which wrap by definition, and of counts"
)]

use std::ops::{Add, Mul, Neg, Sub};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup as _, Field as _};

use crate::r1cs::{Matrix, R1cs};

/// A sum of variables with coefficients, in no order and with repetitions; [`Builder::enforce`] sorts it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lc(Vec<(Fr, usize)>);

/// The power of two, which may be negative.
pub(crate) fn pow2(exponent: i32) -> Fr {
    let power = Fr::from(2_u64).pow([u64::from(exponent.unsigned_abs())]);
    if exponent < 0 { power.inverse().unwrap_or_default() } else { power }
}

impl Lc {
    pub(crate) fn var(variable: usize) -> Self {
        Self(vec![(Fr::ONE, variable)])
    }

    pub(crate) fn one() -> Self {
        Self::var(0)
    }

    pub(crate) fn zero() -> Self {
        Self::default()
    }

    pub(crate) fn constant(value: impl Into<Fr>) -> Self {
        Self(vec![(value.into(), 0)])
    }

    pub(crate) fn push(&mut self, other: &Self, factor: Fr) {
        self.0.extend(
            other.0.iter().map(|(coefficient, variable)| (*coefficient * factor, *variable)),
        );
    }

    /// The sum with terms sorted by variable, each variable once, none with coefficient zero.
    fn sorted(mut self) -> Vec<(Fr, usize)> {
        self.0.sort_by_key(|(_, variable)| *variable);
        self.0.dedup_by(|next, kept| {
            let same = next.1 == kept.1;
            if same {
                kept.0 += next.0;
            }
            same
        });
        self.0.retain(|(coefficient, _)| *coefficient != Fr::ZERO);
        self.0
    }
}

impl Add for Lc {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Add<&Self> for Lc {
    type Output = Self;
    fn add(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }
}

impl Sub for Lc {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Sub<&Self> for Lc {
    type Output = Self;
    fn sub(mut self, other: &Self) -> Self {
        self.push(other, -Fr::ONE);
        self
    }
}

impl Neg for Lc {
    type Output = Self;
    fn neg(self) -> Self {
        self * -Fr::ONE
    }
}

impl<T: Into<Fr>> Mul<T> for Lc {
    type Output = Self;
    fn mul(mut self, factor: T) -> Self {
        let factor = factor.into();
        for (coefficient, _) in &mut self.0 {
            *coefficient *= factor;
        }
        self
    }
}

impl<T: Into<Fr>> Mul<T> for &Lc {
    type Output = Lc;
    fn mul(self, factor: T) -> Lc {
        self.clone() * factor
    }
}

impl std::iter::Sum for Lc {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::zero(), Add::add)
    }
}

/// What a constraint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The variable is one of two linear forms.
    Choice(usize),
    /// The variable is a product.
    Product(usize),
    /// The variable is a quotient, or anything where both are zero.
    Quotient(usize),
    /// A selector is 0 or what it selects is so.
    Select,
    /// Linear forms are equal.
    Equal,
    /// A linear form is 0 or 1.
    Boolean,
}

/// Constraints with what they are for.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) r1cs: R1cs,
    /// Parts of the circuit with their first constraint.
    pub(crate) sections: Vec<(&'static str, usize)>,
    /// A form for each constraint.
    pub(crate) forms: Vec<Form>,
}

/// Constraints in the making.
#[derive(Debug)]
pub(crate) struct Builder(Built);

impl Builder {
    pub(crate) fn new(num_instance: usize) -> Self {
        let matrices = [Matrix::new(), Matrix::new(), Matrix::new()];
        let r1cs = R1cs::new(num_instance, 0, matrices);
        Self(Built { r1cs, sections: Vec::new(), forms: Vec::new() })
    }

    /// What follows belongs to this part of the circuit.
    pub(crate) fn section(&mut self, name: &'static str) {
        self.0.sections.push((name, self.0.r1cs.num_constraints()));
    }

    /// A new witness variable.
    pub(crate) fn alloc(&mut self) -> Lc {
        Lc::var(self.new_variable())
    }

    fn new_variable(&mut self) -> usize {
        let variable = self.0.r1cs.num_variables();
        self.0.r1cs.num_witness += 1;
        variable
    }

    /// `a · b = c`.
    fn enforce(&mut self, form: Form, a: Lc, b: Lc, c: Lc) {
        for (matrix, row) in self.0.r1cs.matrices.iter_mut().zip([a, b, c]) {
            matrix.push(row.sorted());
        }
        self.0.forms.push(form);
    }

    /// A new variable that is one or the other.
    pub(crate) fn choose(&mut self, low: &Lc, high: &Lc) -> Lc {
        let variable = self.new_variable();
        let new = Lc::var(variable);
        self.enforce(Form::Choice(variable), new.clone() - low, new.clone() - high, Lc::zero());
        new
    }

    /// A new variable that is 0 or `weight`.
    pub(crate) fn part(&mut self, weight: &Lc) -> Lc {
        self.choose(&Lc::zero(), weight)
    }

    /// A new variable that is 0 or 1.
    pub(crate) fn boolean(&mut self) -> Lc {
        self.part(&Lc::one())
    }

    /// As many new variables, powers of two or 0, and their sum.
    pub(crate) fn bits(&mut self, count: i32) -> Lc {
        (0..count).map(|bit| self.boolean() * pow2(bit)).sum()
    }

    /// A new variable, the product.
    pub(crate) fn product(&mut self, a: Lc, b: Lc) -> Lc {
        let variable = self.new_variable();
        self.enforce(Form::Product(variable), a, b, Lc::var(variable));
        Lc::var(variable)
    }

    /// That a form is not zero where another is 1: a new variable times the former is the latter.
    pub(crate) fn not_zero(&mut self, form: Lc, condition: Lc) {
        let variable = self.new_variable();
        self.enforce(Form::Quotient(variable), form, Lc::var(variable), condition);
    }

    /// `left = right`.
    pub(crate) fn equal(&mut self, left: Lc, right: Lc) {
        self.enforce(Form::Equal, left, Lc::one(), right);
    }

    /// That a form is 0 or 1.
    pub(crate) fn is_boolean(&mut self, form: &Lc) {
        self.enforce(Form::Boolean, form.clone(), form.clone() - Lc::one(), Lc::zero());
    }

    /// That a selector is 0, or 1 − 64 · `excess`.
    ///
    /// For a family of less than 64 selectors whose sum is enforced to be 0 or 1, with integer excesses that are small beside
    /// the field, this makes each 0 or 1 and the excess of the selected one 0: if `n` are not 0, the sum is `n` less 64 times
    /// the sum of their excesses, so that the latter is 0 and `n` is the sum.
    pub(crate) fn select(&mut self, selector: &Lc, excess: Lc) {
        let excess = selector.clone() - Lc::one() + excess * 64_i64;
        self.enforce(Form::Select, selector.clone(), excess, Lc::zero());
    }

    pub(crate) fn finish(self) -> Built {
        self.0
    }
}
