//! Where the page of a pod is shown: a frame without any rights, inside a document of ours (web/static/stage.html) whose
//! policy lets it bring its own styles along. Why: docs/decisions/0010-a-stage-for-pages-of-pods.md.

use web_sys::{Element, HtmlIFrameElement};
use yew::prelude::*;

/// Goes before every page in the frame: it may load nothing, run nothing, send nothing, and its links lead nowhere.
const FRAME_RULES: &str = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
    style-src 'unsafe-inline'; img-src data:\"><base target=\"_blank\">";

/// What the stage needs.
#[derive(Properties, PartialEq)]
pub struct StageProps {
    /// The frame's name for a screen reader.
    pub title: AttrValue,
    /// The page, as HTML of strangers.
    pub page: AttrValue,
}

/// Whether the stage's document is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not yet.
    Coming,
    /// The page is shown on it.
    Ready,
    /// The host does not have it, or does not let it be shown in a frame.
    Missing,
}

/// The stage with a page on it. Without the stage's document the page is shown all the same, but unstyled.
#[component]
pub fn Stage(props: &StageProps) -> Html {
    let stage = use_node_ref();
    let place = use_state(|| Place::Coming);
    let shown = format!("{FRAME_RULES}{}", props.page);
    let loaded = {
        let (stage, place) = (stage.clone(), place.setter());
        Callback::from(move |_: Event| place.set(if frame(&stage).is_some() { Place::Ready } else { Place::Missing }))
    };
    {
        let stage = stage.clone();
        use_effect_with((*place, props.title.clone(), shown.clone()), move |(_, title, shown)| {
            if let Some(frame) = frame(&stage) {
                // Both exist on every frame.
                let _ = frame.set_attribute("title", title);
                let _ = frame.set_attribute("srcdoc", shown);
            }
        });
    }
    if *place == Place::Missing {
        return html! { <iframe key="alone" sandbox="" referrerpolicy="no-referrer" title={props.title.clone()} srcdoc={shown} /> };
    }
    html! {
        <iframe key="stage" ref={stage} sandbox="allow-same-origin" title={props.title.clone()} src="stage.html" onload={loaded} />
    }
}

/// The frame on the stage, once the stage is there.
fn frame(stage: &NodeRef) -> Option<Element> {
    let document = stage.cast::<HtmlIFrameElement>()?.content_document()?;
    document.query_selector("iframe").ok().flatten()
}
