//! An image of a container (`daemon/commit.go`): the changes of its files become a layer.

use std::rc::Rc;

use json::json;
use runtime::image::{Image, ImageLayer};

use super::Daemon;
use crate::build::is_of_the_machine;
use crate::text::nanos;

impl Daemon {
    /// The image of a container as it is; the one that it was made of if nothing was changed. `comment`: for the history.
    ///
    /// # Errors
    /// No such container, or no room for its image.
    pub(crate) fn commit(&self, id: &str, comment: Option<&str>) -> Result<Rc<Image>, String> {
        let gone = || format!("Error response from daemon: No such container: {id}");
        let files = self.runtime().files(&id.to_owned()).ok_or_else(gone)?;
        let listed = self.runtime().containers().into_iter().find(|c| c.id == id).ok_or_else(gone)?;
        // Its own: the machine may have forgotten the image.
        let base = self.runtime().image_of(&id.to_owned()).ok_or_else(gone)?;
        let says = |why: String| format!("Error response from daemon: {why}");
        let changed = files.diff_tar(&is_of_the_machine).map_err(|why| says(why.to_string()))?;
        let Some(tar) = changed else { return Ok(base) };
        let layer = ImageLayer::of(tar.into());
        let now = nanos(self.sim().now());
        let mut layers = base.layers.clone();
        let size = base.size_bytes + layer.size;
        layers.push(layer);
        let mut file = base.file();
        let ids: Vec<&str> = layers.iter().map(ImageLayer::diff_id).collect();
        file["created"] = now.clone().into();
        file["rootfs"] = json!({ "type": "layers", "diff_ids": ids });
        let mut history = file["history"].as_array().cloned().unwrap_or_default();
        history.push(json!({ "created": now, "created_by": listed.argv.join(" "), "comment": comment.unwrap_or("") }));
        file["history"] = history.into();
        let image = Image::new(file.to_string().into(), layers, Some(size)).map_err(says)?;
        self.check_room(&image).map_err(says)?;
        Ok(Rc::new(image))
    }
}
