//! A request on the map: a dot that travels once and is seen no more.

use wasm_bindgen::prelude::*;
use web_sys::Element;
use yew::prelude::*;

// As a transform: the browser moves that without drawing the map anew, as it would for a motion path.
#[wasm_bindgen(inline_js = "export function travel(dot, points, duration, delay) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const frames = [{ offset: 0.12, opacity: 1 }, { offset: 0.88, opacity: 1 }];
  for (let at = 0; at < points.length; at += 3) {
    const [x, y, offset] = points.subarray(at, at + 3);
    const seen = offset === 0 || offset === 1 ? { opacity: 0 } : {};
    frames.push({ offset, transform: `translate(${x}px, ${y}px)`, ...seen });
  }
  frames.sort((a, b) => a.offset - b.offset);
  dot.animate(frames, { id: 'travel', duration, delay, easing: 'ease-in-out', fill: 'both' });
}")]
extern "C" {
    /// Sends a dot along points, each followed by its share of the way.
    fn travel(dot: &Element, points: &[f64], duration: f64, delay: f64);
}

/// What a dot needs.
#[derive(Properties, PartialEq)]
pub struct DotProps {
    /// What it stands for, as a class.
    pub class: &'static str,
    /// Its way, at least two points.
    pub points: Vec<(f64, f64)>,
    /// Until it starts, in milliseconds.
    pub delay: usize,
    /// Until it has arrived, in milliseconds.
    pub duration: usize,
    /// What a press on it does.
    #[prop_or_default]
    pub press: Option<Callback<MouseEvent>>,
}

/// The dot. Its way is that of the map when it started.
#[component]
pub fn Dot(props: &DotProps) -> Html {
    let place = use_node_ref();
    {
        let place = place.clone();
        let (points, delay, duration) = (shares(&props.points), props.delay as f64, props.duration as f64);
        use_effect_with((), move |()| {
            if let Some(dot) = place.cast::<Element>() {
                travel(&dot, &points, duration, delay);
            }
        });
    }
    let class = classes!("dot", props.class, props.press.is_some().then_some("pick"));
    html! { <circle ref={place} {class} r="4" onclick={props.press.clone()} /> }
}

/// The points, each followed by the share of the way that is behind one there.
fn shares(points: &[(f64, f64)]) -> Vec<f64> {
    let legs = points.windows(2).map(|leg| (leg[1].0 - leg[0].0).hypot(leg[1].1 - leg[0].1));
    let walked: Vec<f64> = std::iter::once(0.0)
        .chain(legs.scan(0.0, |sum, leg| {
            *sum += leg;
            Some(*sum)
        }))
        .collect();
    let all = walked.last().copied().unwrap_or_default().max(1.0);
    let mut shares: Vec<f64> = points.iter().zip(&walked).flat_map(|((x, y), walked)| [*x, *y, walked / all]).collect();
    // Exactly: the dot is not seen there.
    if let Some(last) = shares.last_mut() {
        *last = 1.0;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_as_far_as_the_way_is_long() {
        let shares = shares(&[(0.0, 0.0), (30.0, 0.0), (30.0, 10.0)]);
        assert_eq!(shares, [0.0, 0.0, 0.0, 30.0, 0.0, 0.75, 30.0, 10.0, 1.0]);
    }
}
