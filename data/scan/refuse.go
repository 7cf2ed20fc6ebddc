package scan

import (
	"fmt"
	"image"
)

// RefusedError says that a picture could be decoded but not trusted: what was
// missing or contradictory, what the user can do, and what the importer saw.
type RefusedError struct {
	Path   string      // file, "" when Analyse was called on an image
	Reason string      // what is wrong with the picture
	Remedy string      // what to supply or to do
	Seen   image.Image // the picture with everything found so far drawn in; nil when it was never decoded
}

// Error is one line: where, what, how to mend it.
func (e *RefusedError) Error() string {
	where := "screen"
	if e.Path != "" {
		where = e.Path
	}
	return fmt.Sprintf("%s refused: %s; %s", where, e.Reason, e.Remedy)
}
