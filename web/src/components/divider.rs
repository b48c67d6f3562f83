//! A border that can be dragged, or moved with the arrow keys.

use web_sys::{Element, PointerEvent};
use yew::prelude::*;

/// What a divider needs.
#[derive(Properties, PartialEq)]
pub struct DividerProps {
    /// It divides left from right (otherwise top from bottom).
    pub vertical: bool,
    /// Its name.
    pub label: AttrValue,
    /// Where it is, in percent of the container.
    pub percent: f64,
    /// Percent counted from the end of the container.
    #[prop_or_default]
    pub from_end: bool,
    /// Moves it, in percent.
    pub moved: Callback<f64>,
}

/// Percent that one press of an arrow key moves it by.
const KEY_STEP_PERCENT: f64 = 3.0;

/// The border.
#[component]
pub fn Divider(props: &DividerProps) -> Html {
    let dragging = use_mut_ref(|| false);
    let place = use_node_ref();
    let down = {
        let (dragging, place) = (dragging.clone(), place.clone());
        Callback::from(move |event: PointerEvent| {
            *dragging.borrow_mut() = true;
            if let Some(element) = place.cast::<Element>() {
                // Without capture the drag ends at the border; that is all.
                let _ = element.set_pointer_capture(event.pointer_id());
            }
            event.prevent_default();
        })
    };
    let drag = {
        let (dragging, place, moved) = (dragging.clone(), place.clone(), props.moved.clone());
        let (vertical, from_end) = (props.vertical, props.from_end);
        Callback::from(move |event: PointerEvent| {
            let Some(container) = place.cast::<Element>().and_then(|e| e.parent_element()) else { return };
            if !*dragging.borrow() {
                return;
            }
            let area = container.get_bounding_client_rect();
            let share = if vertical {
                (f64::from(event.client_x()) - area.left()) / area.width()
            } else {
                (f64::from(event.client_y()) - area.top()) / area.height()
            };
            moved.emit(if from_end { 1.0 - share } else { share } * 100.0);
        })
    };
    let up = Callback::from(move |_: PointerEvent| *dragging.borrow_mut() = false);
    let key = {
        let (moved, percent, from_end) = (props.moved.clone(), props.percent, props.from_end);
        Callback::from(move |event: KeyboardEvent| {
            let step = match event.key().as_str() {
                "ArrowLeft" | "ArrowUp" => -KEY_STEP_PERCENT,
                "ArrowRight" | "ArrowDown" => KEY_STEP_PERCENT,
                _ => return,
            };
            event.prevent_default();
            moved.emit(percent + if from_end { -step } else { step });
        })
    };
    html! {
        <div ref={place} class={classes!("divider", if props.vertical { "vertical" } else { "horizontal" })}
            role="separator" tabindex="0" aria-label={props.label.clone()}
            aria-orientation={if props.vertical { "vertical" } else { "horizontal" }}
            aria-valuenow={format!("{:.0}", props.percent)} aria-valuemin="18" aria-valuemax="75"
            onpointerdown={down} onpointermove={drag} onpointerup={up.clone()} onpointercancel={up} onkeydown={key} />
    }
}
