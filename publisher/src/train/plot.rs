//! Plots in the unit square, as SVG.

use std::fmt::Write as _;

const SIDE: f64 = 400.0;
const MARGIN: f64 = 60.0;

/// A plot of points from (0, 0) to (1, 1), with the diagonal for comparison.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) points: &'a [(f64, f64)],
    /// Whether each point is marked.
    pub(super) marks: bool,
}

impl Plot<'_> {
    /// The document.
    pub(super) fn svg(&self) -> String {
        let size = SIDE + 2.0 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" font-family=\"sans-serif\" \
             font-size=\"13\" text-anchor=\"middle\">\n<rect width=\"{size}\" height=\"{size}\" fill=\"white\"/>\n"
        );
        let centre = MARGIN + SIDE / 2.0;
        let (low, high) = (MARGIN, MARGIN + SIDE);
        text(&mut svg, (centre, MARGIN / 2.0), "", self.title);
        text(&mut svg, (centre, size - 12.0), "", self.x);
        let turned = format!(" transform=\"rotate(-90 16 {centre})\"");
        text(&mut svg, (16.0, centre), &turned, self.y);
        for tenth in (0_u8..=10).step_by(2) {
            let part = f64::from(tenth) / 10.0;
            let ((x, _), (_, y)) = (at((part, 0.0)), at((0.0, part)));
            line(&mut svg, &[(x, low), (x, high)], "#ddd", "");
            line(&mut svg, &[(low, y), (high, y)], "#ddd", "");
            text(&mut svg, (x, high + 18.0), "", &part.to_string());
            text(&mut svg, (low - 16.0, y + 4.0), "", &part.to_string());
        }
        line(&mut svg, &[(low, high), (high, low)], "#999", " stroke-dasharray=\"4\"");
        let points: Vec<(f64, f64)> = self.points.iter().copied().map(at).collect();
        line(&mut svg, &points, "#06c", " stroke-width=\"2\"");
        if self.marks {
            for (x, y) in points {
                let _ =
                    writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#06c\"/>");
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Where a point of the unit square lies on the page.
fn at((x, y): (f64, f64)) -> (f64, f64) {
    (MARGIN + x * SIDE, MARGIN + (1.0 - y) * SIDE)
}

fn text(svg: &mut String, (x, y): (f64, f64), attributes: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{attributes}>{text}</text>");
}

fn line(svg: &mut String, points: &[(f64, f64)], colour: &str, attributes: &str) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\"{attributes}/>",
        points.join(" ")
    );
}
