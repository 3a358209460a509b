//! Least squares: which cost per unit explains the measurements best.

/// A model without a constant: `y = coefficients · x`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fit<const N: usize> {
    /// What one unit of each input costs.
    pub(super) coefficients: [f64; N],
    /// The largest distance of a measurement from the model, as a share of the measurement.
    pub(super) worst: f64,
}

/// Fits the measurements `(x, y)` so that the sum of the squared relative errors is least; none if they do not
/// tell the inputs apart.
pub(super) fn fit<const N: usize>(measured: &[([f64; N], f64)]) -> Option<Fit<N>> {
    // The normal equations, with each measurement divided by its own size: a small one counts like a large one.
    let mut rows = [[0.0; N]; N];
    let mut right = [0.0; N];
    for (x, y) in measured {
        for row in 0..N {
            for column in 0..N {
                rows[row][column] += x[row] * x[column] / (y * y);
            }
            right[row] += x[row] / y;
        }
    }
    let coefficients = solve(rows, right)?;
    let model = |x: &[f64; N]| x.iter().zip(&coefficients).map(|(x, cost)| x * cost).sum::<f64>();
    let worst = measured.iter().map(|(x, y)| ((model(x) - y) / y).abs()).fold(0.0, f64::max);
    Some(Fit { coefficients, worst })
}

/// Gauss's elimination with the largest pivot first.
fn solve<const N: usize>(mut rows: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for pivot in 0..N {
        let largest = (pivot..N).max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))?;
        rows.swap(pivot, largest);
        right.swap(pivot, largest);
        let (line, scale) = (rows[pivot], rows[pivot][pivot]);
        if scale.abs() < f64::EPSILON {
            return None;
        }
        for row in (0..N).filter(|&row| row != pivot) {
            let factor = rows[row][pivot] / scale;
            for (value, above) in rows[row].iter_mut().zip(line) {
                *value -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    let mut solution = [0.0; N];
    for (index, value) in solution.iter_mut().enumerate() {
        *value = right[index] / rows[index][index];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_that_explain_everything_are_found_without_error() {
        let cost = |[a, b, c]: [f64; 3]| 480.0 * a + 60.0 * b + 300.0 * c;
        let points =
            [[1000.0, 0.0, 0.0], [1000.0, 1000.0, 10.0], [19_000.0, 19_000.0, 9500.0], [10.0, 80.0, 7.0]];
        let fitted = fit(&points.map(|x| (x, cost(x)))).unwrap();
        for (found, real) in fitted.coefficients.iter().zip([480.0, 60.0, 300.0]) {
            assert!((found - real).abs() < 1e-6, "{fitted:?}");
        }
        assert!(fitted.worst < 1e-9, "{fitted:?}");
    }

    #[test]
    fn the_worst_distance_is_told_as_a_share() {
        let fitted = fit(&[([1.0], 90.0), ([1.0], 110.0)]).unwrap();
        assert!(fitted.worst > 0.05 && fitted.worst < 0.15, "{fitted:?}");
    }

    #[test]
    fn inputs_that_always_come_together_cannot_be_told_apart() {
        assert_eq!(fit(&[([1.0, 1.0], 2.0), ([2.0, 2.0], 4.0)]), None);
        assert_eq!(fit::<1>(&[]), None);
    }
}
