package intake

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/archive"
)

// Summary is what an import came to.
type Summary struct {
	Files, Accepted int
	Planes, Copies  int // planes in the cohort; planes left out as copies of another
	Patients        map[data.Split]int
	Refused         []archive.DeadLetter
}

// entry is a plane on its way into the manifest.
type entry struct {
	data.Row
	file  string // the input, private
	place string // the pseudonym that the file's folder or table gives its patient
}

// Seal makes a cohort of everything imported so far: manifest, card,
// de-identification report; and, in private, dead letters and which file became
// which plane. testShare of the patients are for testing, at random by the key;
// a patient whose split a table or an earlier manifest gives keeps it.
func (im *Importer) Seal(testShare float64) (*Summary, error) {
	var entries []entry
	given := map[string]data.Split{}
	s := &Summary{Patients: map[data.Split]int{}}
	report := newReport()
	for r, err := range im.Folders().Records() {
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		s.Files++
		if r.Refused != nil {
			continue
		}
		s.Accepted++
		var result Result
		if err := json.Unmarshal(r.Result, &result); err != nil {
			return nil, fmt.Errorf("import: record of %s: %w", r.Row.Name(), err)
		}
		report.add(result)
		for _, p := range result.Planes {
			entries = append(entries, entry{p, r.Row.Name(), r.Row.Args["patient"]})
			if split := data.Split(r.Row.Args["split"]); split != "" {
				if old := given[p.Patient]; old != "" && old != split {
					return nil, fmt.Errorf("import: %w: the patient of %s is in %q and in %q; give each patient one split", data.ErrLeak, r.Row.Name(), old, split)
				}
				given[p.Patient] = split
			}
		}
	}
	var err error
	if s.Refused, err = im.Folders().DeadLetters(); err != nil {
		return nil, err
	}
	if _, err := im.Folders().WriteDeadLetters(s.Refused); err != nil {
		return nil, err
	}
	entries, s.Copies = withoutCopies(entries)
	report.Copies = s.Copies
	if s.Planes = len(entries); s.Planes == 0 {
		return s, nil
	}
	if err := im.split(entries, given, testShare); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if !seen[e.Patient] {
			seen[e.Patient] = true
			s.Patients[e.Split]++
		}
	}
	return s, im.write(entries, report)
}

// withoutCopies keeps each picture once. The same picture under two patients
// would put one patient into two splits: it is kept for the first by name.
func withoutCopies(entries []entry) (kept []entry, copies int) {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.ID(), b.ID()), cmp.Compare(a.file, b.file))
	})
	content := map[string]bool{}
	for _, e := range entries {
		if content[e.SHA256] {
			copies++
			continue
		}
		content[e.SHA256] = true
		kept = append(kept, e)
	}
	return kept, copies
}

// split settles every patient's split: given, as in the earlier manifest, or
// the next by a random order that the pseudonyms fix.
func (im *Importer) split(entries []entry, given map[string]data.Split, testShare float64) error {
	if old, err := data.Open(im.Out); err == nil {
		for _, r := range old.Rows {
			if given[r.Patient] == "" {
				given[r.Patient] = r.Split
			}
		}
	} else if _, err := os.Stat(filepath.Join(im.Out, "manifest.csv")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("import: the cohort's earlier manifest cannot be read, so its splits are unknown: remove %s to split anew", filepath.Join(im.Out, "manifest.csv"))
	}
	groups := together(entries)
	settled := map[string]data.Split{} // by group
	test := 0
	for _, members := range groups {
		for _, patient := range members {
			switch split := given[patient]; {
			case split == "":
			case settled[members[0]] == "" || settled[members[0]] == split:
				settled[members[0]] = split
			default:
				return fmt.Errorf("import: %w: the patients %s share folders, so they may be one, but are in %q and in %q; list the files with their patients in a CSV table",
					data.ErrLeak, strings.Join(members, ", "), settled[members[0]], split)
			}
		}
		if settled[members[0]] == data.Test {
			test++
		}
	}
	want := int(math.Round(testShare * float64(len(groups))))
	if testShare > 0 && len(groups) > 1 {
		want = max(want, 1)
	}
	for _, members := range groups { // pseudonyms are in random order already, and stay so
		if settled[members[0]] == "" {
			if settled[members[0]] = data.Train; test < want {
				settled[members[0]] = data.Test
				test++
			}
		}
		for _, patient := range members {
			given[patient] = settled[members[0]]
		}
	}
	for i := range entries {
		entries[i].Split = given[entries[i].Patient]
	}
	return nil
}

// together lists the patients in groups that must not be split, in order of
// name. A folder may hold DICOM files, which name their patient, and pictures,
// which do not: the folder's patient may then be any of DICOM's.
func together(entries []entry) [][]string {
	leader := map[string]string{} // towards the first by name
	for _, e := range entries {
		leader[e.Patient] = e.Patient
	}
	var find func(string) string
	find = func(p string) string {
		if leader[p] != p {
			leader[p] = find(leader[p])
		}
		return leader[p]
	}
	for _, e := range entries {
		if _, nameless := leader[e.place]; nameless {
			a, b := find(e.Patient), find(e.place)
			leader[max(a, b)] = min(a, b)
		}
	}
	members := map[string][]string{}
	for _, p := range slices.Sorted(maps.Keys(leader)) {
		members[find(p)] = append(members[find(p)], p)
	}
	var groups [][]string
	for _, p := range slices.Sorted(maps.Keys(members)) {
		groups = append(groups, members[p])
	}
	return groups
}

// write stores what was found out about the files, and then the cohort's own,
// the manifest last, so that a cohort with a manifest is whole.
func (im *Importer) write(entries []entry, report *report) error {
	cohort := &data.Cohort{Dir: im.Out}
	sources := [][]string{{"file", "plane"}}
	for _, e := range entries {
		cohort.Rows = append(cohort.Rows, e.Row)
		sources = append(sources, []string{e.file, e.ID()})
	}
	reportJSON, err := report.json()
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	var table bytes.Buffer
	_ = csv.NewWriter(&table).WriteAll(sources) // a bytes.Buffer never fails
	for _, f := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{
		{filepath.Join(im.Private, "sources.csv"), table.Bytes(), 0o600},
		{filepath.Join(im.Out, "deidentification.json"), reportJSON, 0o644},
		{filepath.Join(im.Out, "deidentification.md"), []byte(report.markdown()), 0o644},
	} {
		if err := renameio.WriteFile(f.path, f.data, f.mode); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	if err := cohort.Seal(card(entries)); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// card is the cohort's data card.
func card(entries []entry) string {
	type group struct {
		organ, scanner string
		mm, scale      float64
	}
	planes := map[group]int{}
	patients := map[string]bool{}
	for _, e := range entries {
		planes[group{e.Organ, e.Scanner, e.MMPerPx, e.ScaleMaxKPa}]++
		patients[e.Patient] = true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Data card: imported scans\n\n%d planes of %d patients, read from scanners' exports by `go run . import`; nothing here is simulated. Young's\n"+
		"modulus comes from the picture's own colour bar, or from arrays as they were given. What was left out to protect the\n"+
		"patients is in `deidentification.md`.\n\n| organ | scanner | mm per px | scale maximum, kPa | planes |\n|---|---|---|---|---|\n", len(entries), len(patients))
	var lines []string
	for g, n := range planes {
		lines = append(lines, fmt.Sprintf("| %s | %s | %.4f | %g | %d |\n", g.organ, g.scanner, g.mm, g.scale, n))
	}
	slices.Sort(lines)
	if len(lines) > 100 {
		lines = append(lines[:100:100], fmt.Sprintf("\n%d more kinds: see `manifest.csv`.\n", len(lines)-100))
	}
	b.WriteString(strings.Join(lines, ""))
	return b.String()
}
