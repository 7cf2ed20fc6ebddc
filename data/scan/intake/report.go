package intake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// report says what was left out of a cohort: names and counts, never values.
type report struct {
	Files         int            `json:"files"`
	DICOM         int            `json:"dicom_files"`
	Pictures      int            `json:"files_without_dicom"`
	Removed       map[string]int `json:"dicom_elements_removed"` // files in which each was left out, by name
	Planes        int            `json:"planes"`
	Copies        int            `json:"copies_left_out"` // planes of these that are in the cohort under another file
	Repeated      int            `json:"repeated_frames_left_out"`
	NotUnderstood int            `json:"frames_not_understood"`
}

func newReport() *report { return &report{Removed: map[string]int{}} }

func (r *report) add(result Result) {
	r.Files++
	if result.MetadataOf == "dicom" {
		r.DICOM++
	} else {
		r.Pictures++
	}
	for name, n := range result.Removed {
		r.Removed[name] += n
	}
	r.Planes += len(result.Planes)
	r.Repeated += result.Repeated
	r.NotUnderstood += result.Unreadable
}

func (r *report) json() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# De-identification\n\nFiles read: %d, of them DICOM: %d. Planes in them: %d; copies of a plane left out: %d; repeated frames left out: %d;\nframes in which no SWE was understood: %d.\n\n",
		r.Files, r.DICOM, r.Planes, r.Copies, r.Repeated, r.NotUnderstood)
	b.WriteString("## How\n\n" +
		"- A plane holds pixels of the image area alone: grey levels, Young's modulus, saturation, confidence, labels. Text, logos and menus\n" +
		"  burned into the screen around it never enter; a mark that stands over only one of the two views is painted out. **Text printed\n" +
		"  inside both views is not looked for**: look at the planes before handing them on.\n" +
		"- Of DICOM, only what an allow-list names is used; private elements are never read.\n" +
		"- Patients are called by a keyed hash of the patient identifier, else of the table's or the folder's name for them. Planes are called\n" +
		"  by a keyed hash of the file's bytes, never by the file's name. The key is not in this folder.\n" +
		"- The originals were only read.\n\n## DICOM elements left out\n\n")
	switch {
	case r.DICOM == 0:
		b.WriteString("None: no imported file was DICOM.\n")
		return b.String()
	case len(r.Removed) == 0:
		b.WriteString("None: the files held no other.\n")
		return b.String()
	}
	b.WriteString("| element | files |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(r.Removed)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, r.Removed[name])
	}
	return b.String()
}
