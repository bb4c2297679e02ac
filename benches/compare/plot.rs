//! Growth curves as SVG, both axes logarithmic.

use std::fmt::Write;

pub(crate) struct Curve<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// Around the axes: room for the labels.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;

/// From values to places along one axis.
struct Axis {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let part = (value / self.least).log10() / (self.most / self.least).log10();
        self.from + part * (self.to - self.from)
    }

    fn tens(&self) -> impl Iterator<Item = f64> {
        let most = self.most;
        std::iter::successors(Some(self.least), |it| Some(it * 10.0))
            .take_while(move |it| *it <= most * 1.001)
    }
}

fn axis(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Axis {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    let ten = |power: f64| 10_f64.powf(power);
    Axis {
        least: ten(least.log10().floor()),
        most: ten(most.log10().ceil()),
        from,
        to,
    }
}

/// A drawing of the curves over the number of members.
pub(crate) fn svg(title: &str, curves: &[Curve<'_>]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let x = axis(points().map(|it| it.0), LEFT, WIDTH - RIGHT);
    let y = axis(points().map(|it| it.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>\n"
    );
    for value in x.tens() {
        let (at, bottom) = (x.at(value), HEIGHT - BOTTOM);
        line(&mut svg, (at, TOP), (at, bottom));
        text(&mut svg, (at, bottom + 18.0), "middle", &value.to_string());
    }
    text(
        &mut svg,
        (WIDTH - RIGHT + 8.0, HEIGHT - BOTTOM + 18.0),
        "start",
        "members",
    );
    for value in y.tens() {
        let at = y.at(value);
        line(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
        let rounded = (value * 1e6).round() / 1e6;
        text(&mut svg, (LEFT - 8.0, at + 4.0), "end", &rounded.to_string());
    }
    for (number, curve) in curves.iter().enumerate() {
        let places: Vec<String> = curve
            .points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x.at(point.0), y.at(point.1)))
            .collect();
        let colour = curve.colour;
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        )
        .unwrap();
        for place in places {
            let (x, y) = place.split_once(',').unwrap();
            writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>").unwrap();
        }
        let at = (WIDTH - RIGHT + 8.0, TOP + 10.0 + 18.0 * number as f64);
        text(&mut svg, (at.0 + 18.0, at.1 + 4.0), "start", curve.name);
        writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{colour}\"/>",
            at.0,
            at.1 - 2.0
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>",
        from.0, from.1, to.0, to.1
    )
    .unwrap();
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let (x, y) = at;
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    )
    .unwrap();
}
