package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/scan/intake"
)

type importCommand struct {
	Paths       []string `arg:"" name:"path" help:"Scanner exports (PNG, JPEG, TIFF, DICOM, NPZ), folders of them, patterns, or CSV tables."`
	Out         string   `help:"Folder for the cohort." required:"" type:"path"`
	Key         string   `help:"File of the key that makes pseudonyms; made when absent. Default: in the private folder beside the cohort." type:"path" placeholder:"FILE"`
	PatientFrom string   `help:"Whose a file is when neither DICOM nor a table says: folder, file, or name:REGEXP with a group." default:"folder" placeholder:"RULE"`
	Split       string   `help:"Share of the patients for testing (0 to 1), or train or test for all of these files." default:"0.2" placeholder:"SHARE"`
	ScaleMax    float64  `help:"Top of the colour bar in kPa; 0 reads it from the bar's digits." placeholder:"KPA"`
	MMPerPx     float64  `help:"Pixel size in mm; 0 reads it from DICOM or the depth ruler." placeholder:"MM"`
	Opacity     float64  `help:"Of the overlay, 0 to 1; 0 estimates it." placeholder:"SHARE"`
	Box         string   `help:"SWE box in the overlay view, pixels." placeholder:"LEFT,TOP,RIGHT,BOTTOM"`
	Bar         string   `help:"Colour bar, pixels." placeholder:"LEFT,TOP,RIGHT,BOTTOM"`
	Organ       string   `help:"What the scans show." default:"unknown"`
	Workers     int      `help:"Files read at once; 0: one a core." default:"0"`
	Preview     bool     `help:"Only draw what is found on each screen, privately; make no cohort."`
}

func (c importCommand) Help() string {
	return "Example: go run . import exports/ --organ prostate --out cohorts/mine\n\n" +
		"The cohort names no patient. What may (records, refused screens, the key) lies in the folder <out>-private beside it.\n" +
		"A stopped import goes on where it was; more files can be added later, and a patient stays in the split it has.\n\n" +
		"A CSV table's first line names its columns: file (or bmode and swe arrays: NPY, NPZ#name, NIfTI, and labels), patient,\n" +
		"plane, split, organ, scanner, mm_per_px, scale_max_kpa, unit (kPa or m/s), opacity, box, bar."
}

func (c importCommand) Run(ctx context.Context) error {
	share, defaults, err := c.settings()
	if err != nil {
		return err
	}
	rule, err := intake.ParsePatientRule(c.PatientFrom)
	if err != nil {
		return err
	}
	list, err := intake.List(c.Paths, rule)
	if err != nil {
		return err
	}
	importer := &intake.Importer{Out: c.Out, Private: intake.PrivateFolder(c.Out)}
	if c.Key == "" {
		c.Key = filepath.Join(importer.Private, "pseudonym.key")
	}
	if importer.Key, err = dicom.OpenKey(c.Key); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := importer.Claim(); err != nil {
		return err
	}

	folders, work := importer.Folders(), importer.Work()
	if c.Preview {
		folders, work = importer.PreviewFolders(), importer.PreviewWork()
	}
	rows, arrays := importer.Rows(list.Items, defaults), 0
	if c.Preview {
		rows, arrays = intake.Screens(rows)
	}
	const few = 5 // files that need no progress, and are previewed in words
	tick := func() {}
	if len(rows) > few {
		bar := newBar(len(rows), "import")
		tick = func() { _ = bar.Add(1) }
	}
	var refused []archive.DeadLetter
	var drawn []archive.Record
	counters, err := archive.Run(ctx, slices.Values(rows), archive.Options{Folders: folders, Workers: c.Workers,
		Done: func(r archive.Record, _ archive.Counters) {
			if r.Refused != nil {
				refused = append(refused, archive.DeadLetter{File: r.Row.Name(), Reason: r.Refused.Reason, Remedy: r.Refused.Remedy})
			} else if c.Preview && len(rows) <= few {
				drawn = append(drawn, r)
			}
			tick()
		}}, work)
	if err != nil {
		return err
	}
	if c.Preview {
		for _, r := range drawn {
			words, err := intake.PreviewWords(r, folders)
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			fmt.Printf("%s\n%s\n", r.Row.Name(), words)
		}
		fmt.Printf("%d of %d drawn in %s (whole screens: they may show a name)\n", counters.Rows-counters.Refused, counters.Rows, folders.Out)
		if arrays > 0 {
			fmt.Printf("%d files of arrays have no screen to draw\n", arrays)
		}
		return refusals(refused, folders)
	}
	s, err := importer.Seal(share)
	if err != nil {
		return err
	}
	if s.Planes > 0 {
		c.print(counters, list.Passed, s)
	}
	return refusals(refused, folders)
}

// settings are the flags as the rows of a work list carry them.
func (c importCommand) settings() (testShare float64, defaults intake.Defaults, err error) {
	defaults = intake.Defaults{"organ": c.Organ}
	switch c.Split {
	case string(data.Train), string(data.Test):
		defaults["split"] = c.Split
	default:
		if testShare, err = strconv.ParseFloat(c.Split, 64); err != nil || !(testShare >= 0 && testShare <= 1) {
			return 0, nil, fmt.Errorf("import: --split %q is neither a share from 0 to 1 nor train or test", c.Split)
		}
	}
	for name, v := range map[string]float64{"scale_max_kpa": c.ScaleMax, "mm_per_px": c.MMPerPx, "opacity": c.Opacity} {
		if v != 0 {
			defaults[name] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	for name, text := range map[string]string{"box": c.Box, "bar": c.Bar} {
		if _, err := intake.Rectangle(text); err != nil {
			return 0, nil, fmt.Errorf("import: --%s: %w", name, err)
		}
		if text != "" {
			defaults[name] = text
		}
	}
	return testShare, defaults, nil
}

// print is the summary table.
func (c importCommand) print(counters archive.Counters, passed int, s *intake.Summary) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "files\t%d\t%d of them done before\n", counters.Rows, counters.Skipped)
	fmt.Fprintf(t, "accepted\t%d\n", counters.Rows-counters.Refused)
	fmt.Fprintf(t, "refused\t%d\n", counters.Refused)
	if passed > 0 {
		fmt.Fprintf(t, "passed over\t%d\tno pictures\n", passed)
	}
	fmt.Fprintf(t, "planes in the cohort\t%d\t%d copies left out\n", s.Planes, s.Copies)
	fmt.Fprintf(t, "patients\t%d\t%d to train, %d to test\n", s.Patients[data.Train]+s.Patients[data.Test], s.Patients[data.Train], s.Patients[data.Test])
	fmt.Fprintf(t, "cohort\t%s\n", c.Out)
	fmt.Fprintf(t, "private, beside it\t%s\n", intake.PrivateFolder(c.Out))
	_ = t.Flush() // to the terminal
}

// refusals is one error for all refused files: the few in full, the many by
// the file that lists them.
func refusals(letters []archive.DeadLetter, folders archive.Folders) error {
	const few = 20
	slices.SortFunc(letters, func(a, b archive.DeadLetter) int { return strings.Compare(a.File, b.File) })
	var failures []error
	for _, l := range letters[:min(few, len(letters))] {
		failures = append(failures, fmt.Errorf("import: %s refused: %s; %s", l.File, l.Reason, l.Remedy))
	}
	if len(letters) > few {
		failures = append(failures, fmt.Errorf("import: %d more are in %s", len(letters)-few, filepath.Join(folders.State, "dead_letters.csv")))
	}
	return errors.Join(failures...)
}
