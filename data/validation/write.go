package validation

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Write leaves validation.json, the figures and validation.md in dir, each whole or not at all, the text last.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write validation: %w", err)
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write validation: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, "validation.json"), text, 0o644); err != nil {
		return fmt.Errorf("write validation: %w", err)
	}
	drawings, err := r.figures()
	if err != nil {
		return fmt.Errorf("write validation: %w", err)
	}
	for _, d := range drawings {
		if _, err := d.figure.Save(filepath.Join(dir, "figures", d.name)); err != nil {
			return fmt.Errorf("write validation: %w", err)
		}
	}
	if err := renameio.WriteFile(filepath.Join(dir, "validation.md"), []byte(r.markdown(drawings)), 0o644); err != nil {
		return fmt.Errorf("write validation: %w", err)
	}
	return nil
}

// Summary says in a line how many rows hold, and names those that don't.
func (r *Report) Summary() string {
	s := r.counted()
	for _, row := range r.Rows {
		if row.Verdict == Fails {
			s += fmt.Sprintf("\n  %s: %s: %s is %s, wanted %s", row.Verdict, row.Group, row.Quantity, row.Measured(), row.Target)
		}
	}
	return s
}

func (r *Report) counted() string {
	hold := r.Count(Holds)
	s := fmt.Sprintf("%d of %d rows hold", hold, hold+r.Count(Fails))
	if n := r.Count(NotMeasured); n > 0 {
		s += fmt.Sprintf(", %d could not be measured", n)
	}
	return s
}

func (r *Report) markdown(drawings []drawing) string {
	var b strings.Builder
	if n := len(r.Alone); n > 0 {
		fmt.Fprintf(&b, "# Validation: %d %s cohorts as one\n\n", n, r.Title)
	} else {
		fmt.Fprintf(&b, "# Validation: %s cohort\n\n", r.Title)
	}
	if r.Simulated {
		b.WriteString("**Simulated.** Scanner and patients are simulated; a row that holds says that the simulation behaves as published scanners and\n" +
			"series do in that respect, not that it is right for a patient.\n\n")
	}
	fmt.Fprintf(&b, "%s.\n\n", r.counted())
	fmt.Fprintf(&b, "Verdicts: *holds* and *does not hold* compare with the target; *reported* has none; *Go test* is asserted by the test named, since it\n"+
		"needs the scanner's inside; *not measured* says why. Intervals of areas and errors are 95 %%, by bootstrap over patients; of stiffness, age\n"+
		"and volume they are quartiles.\n")
	r.writeAlone(&b)
	group := ""
	for _, row := range r.Rows {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&b, "\n## %s%s\n\n| quantity | target | measured | verdict | source of the target | measured on |\n|---|---|---|---|---|---|\n", strings.ToUpper(group[:1]), group[1:])
		}
		verdict := string(row.Verdict)
		if row.Verdict == Fails {
			verdict = "**" + verdict + "**"
		}
		if row.Note != "" {
			verdict += ": " + row.Note
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", row.Quantity, row.Target, row.Measured(), verdict, row.Source, row.Samples)
	}
	if len(drawings) > 0 {
		b.WriteString("\n## Figures\n")
		for _, d := range drawings {
			fmt.Fprintf(&b, "\n%s\n\n![%s](figures/%s.png)\n", d.caption, d.figure.Alt(), d.name)
		}
	}
	return b.String()
}

// writeAlone prints a line for each cohort beside the line of all; bold is what does not hold.
func (r *Report) writeAlone(b *strings.Builder) {
	if len(r.Alone) == 0 {
		return
	}
	line := func(name string, patients int, rows []Row) {
		fmt.Fprintf(b, "| %s | %d |", name, patients)
		for _, row := range rows {
			value := ""
			if row.Value != nil {
				value = number(*row.Value)
			}
			if row.Verdict == Fails {
				value = "**" + value + "**"
			}
			fmt.Fprintf(b, " %s |", value)
		}
		b.WriteString("\n")
	}
	var all []Row
	men := 0
	b.WriteString("\n## Each cohort beside all\n\nThe line \"as one\" is judged, as the tables below are. The others say how far a single cohort strays; bold is outside the target.\n\n| cohort | patients |")
	for _, row := range r.Rows {
		if row.Heading != "" {
			all = append(all, row)
			fmt.Fprintf(b, " %s |", row.Heading)
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(all)) + "\n| target | |")
	for _, row := range all {
		fmt.Fprintf(b, " %s |", row.Target)
	}
	b.WriteString("\n")
	for _, one := range r.Alone {
		men += one.Patients
		line(one.Cohort, one.Patients, matching(all, one.Rows))
	}
	line("as one", men, all)
}

// matching are a cohort's rows in the order of the whole's; empty ones where it has none.
func matching(all, rows []Row) []Row {
	out := make([]Row, len(all))
	for k, want := range all {
		for _, r := range rows {
			if r.Heading == want.Heading {
				out[k] = r
			}
		}
	}
	return out
}
