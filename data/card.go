package data

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"elastography/data/phantom"
	"elastography/data/scanner"
)

// card is the cohort's data card: what it is, how it was made, what is assumption, and what was measured of it.
func card(ctx context.Context, r Recipe, s scanner.Scanner, c *Cohort) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Data card: simulated %s cohort\n\n", r.Organ)
	b.WriteString("**Every image, stiffness and histopathology label here is simulated.** No patient was scanned. The numbers that a network\n" +
		"reaches on it say how well the method works on this simulation, not on patients.\n\n## Recipe\n\n")
	fmt.Fprintf(&b, "| what | value |\n|---|---|\n| patients | %d: %d to train, %d to test |\n| planes | %d |\n| tumour foci | %d |\n",
		r.Patients, r.Patients-r.Test, r.Test, len(c.Rows), len(c.Foci))
	fmt.Fprintf(&b, "| seed | %d |\n| scanner | %s: %.1f MHz, %d elements over %.0f°, radius %.0f mm |\n", r.Seed, s.Name, s.FrequencyMHz, s.Elements, s.FieldOfViewDeg, s.RadiusMM)
	fmt.Fprintf(&b, "| image | %d x %d px of %.3f mm |\n| SWE display limit | %.0f kPa; stiffer pixels are flagged as saturated |\n",
		r.imageGrid().Height, r.imageGrid().Width, r.imageGrid().MMPerPx, s.ScaleMaxKPa)
	b.WriteString("\nRun again with the same recipe and seed, it gives the same bytes on the same type of processor.\n\n" +
		"## How it is made\n\n" +
		"1. `data/phantom` draws each patient: organ, zones, tissue latents, tumours with their grade, benign look-alikes. Stiffness and\n" +
		"   echogenicity are separate noisy functions of shared latents; neither is computed from the other.\n" +
		"2. `data/scanner` images each plane: B-mode through the array's own point-spread function; SWE by acoustic push, elastic wave propagation\n" +
		"   and time of flight. The training target is what the scanner shows (`swe_kpa`), never the tissue's truth (`e_true_kpa`).\n" +
		"3. Histopathology is stored as true (`labels_true`) and as registered (`labels`), with the shrinkage, plane mismatch and warp of real registration.\n\n" +
		"What was measured comes first; every parameter with its source or assumption stands at the end.\n\n")
	st, err := Describe(ctx, c, nil)
	if err != nil {
		return "", fmt.Errorf("data card: %w", err)
	}
	st.write(&b)
	b.WriteString("## Files\n\n`manifest.csv` a row a plane with its SHA-256; `foci.csv` a row a tumour focus; `<patient>/<plane>.npz` the maps, for NumPy and Go.\n" +
		"`go run . cohort --validate --out DIR` measures scanner and cohort against the published figures, into `validation.md`.\n\n" +
		"## Parameters\n\n\"source\" is cited, \"design\" was chosen between sources that disagree or to meet the acceptance figures, \"assumption\" had no\n" +
		"source at hand; \"not stated\" has no word on it. Distributions are cut off at their limits by drawing again.\n\n")
	for _, v := range []struct {
		title string
		of    any
	}{{"Population", organs()[r.Organ].recipe}, {"Scanner", s}} {
		if err := writeParameters(&b, v.title, v.of); err != nil {
			return "", fmt.Errorf("data card: %w", err)
		}
	}
	return b.String(), nil
}

// write prints what was measured.
func (st *Statistics) write(b *strings.Builder) {
	b.WriteString("## Measured on this cohort\n\nStiffness is what the simulated scanner shows, clipped at its display limit. Regions are 5 mm squares, benign ones 2 mm clear of\n" +
		"any tumour; intervals are 95 %, by bootstrap over patients.\n\n| what | measured |\n|---|---|\n")
	row := func(what, format string, args ...any) {
		fmt.Fprintf(b, "| %s | %s |\n", what, fmt.Sprintf(format, args...))
	}
	row("SWE pixels at the display limit", "%.1f %%", 100*st.Saturated)
	for _, d := range st.ValidByDepth {
		row(fmt.Sprintf("SWE box showing a stiffness, %.0f to %.0f mm deep", d.FromMM, d.ToMM), "%.0f %%", 100*d.Valid)
	}
	if st.DiameterMM.N > 0 {
		row("focus diameter, median (quartiles)", "%.1f mm (%.1f to %.1f), %d foci", st.DiameterMM.Median, st.DiameterMM.Q1, st.DiameterMM.Q3, st.DiameterMM.N)
	}
	if st.RegisteredTo.N > 0 {
		row("organ as registered against true, Dice", "%.2f (%.2f to %.2f) over %d planes", st.RegisteredTo.Median, st.RegisteredTo.Q1, st.RegisteredTo.Q3, st.RegisteredTo.N)
	}
	for _, t := range st.Trivial {
		row(fmt.Sprintf("mean absolute error of guessing the training patients' %s", map[string]string{"median": "median", "depth": "median at each depth", "zone": "median of each zone"}[t.Name]),
			"%.2f kPa (%.2f to %.2f) on the test patients", t.MAEKPa, t.CI95[0], t.CI95[1])
	}
	auc := func(what string, d *Discrimination) {
		if d != nil {
			row(what, "%.2f (%.2f to %.2f), %d with tumour and %d benign", d.AUC, d.CI95[0], d.CI95[1], d.Tumour, d.Benign)
		}
	}
	for _, c := range []struct {
		cases string
		d     Discriminations
	}{{"halves of the peripheral zone", st.Sextants}, {"foci", st.Lesions}, {fmt.Sprintf("squares of %.0f mm", regionSideMM), st.Squares}} {
		auc("tumour AUC of SWE, "+c.cases+", histopathology as registered", c.d.SWE)
		auc("tumour AUC of SWE, "+c.cases+", true histopathology", c.d.SWETrue)
		auc("tumour AUC of the grey level beside its peers, "+c.cases+", as registered", c.d.Echo)
		auc("tumour AUC of the grey level beside its peers, "+c.cases+", true", c.d.EchoTrue)
		if best := cmp.Or(c.d.SWETrue, c.d.SWE); best != nil {
			row("best cut of SWE (Youden), "+c.cases, "%.0f kPa (%.0f to %.0f): sensitivity %.0f %%, specificity %.0f %%", best.Cut, best.CutCI95[0], best.CutCI95[1], 100*best.Sensitivity, 100*best.Specificity)
		}
	}
	if len(st.Zones) > 0 {
		b.WriteString("\n| stiffness shown, kPa | median | quartiles | from |\n|---|---|---|---|\n")
		for _, g := range st.Zones {
			fmt.Fprintf(b, "| %s | %.1f | %.1f to %.1f | %d pixels of %.1f mm |\n", g.Name, g.Median, g.Q1, g.Q3, g.N, statisticsMM)
		}
		for _, g := range st.Grades {
			fmt.Fprintf(b, "| tumour, %s | %.1f | %.1f to %.1f | %d foci in planes |\n", g.Name, g.Median, g.Q1, g.Q3, g.N)
		}
	}
	b.WriteString("\n")
}

// ZoneName names a label of the histopathology maps.
func ZoneName(label uint8) string {
	names := [...]string{phantom.LabelOutside: "outside the organ", phantom.LabelPZ: "peripheral zone", phantom.LabelTZ: "transition zone",
		phantom.LabelCZ: "central zone", phantom.LabelAFMS: "fibromuscular stroma", phantom.LabelUrethra: "urethra",
		phantom.LabelThyroid: "thyroid parenchyma", phantom.LabelIsthmus: "isthmus", phantom.LabelNodule: "benign nodule",
		phantom.LabelFocus: "tumour"}
	if name := names[min(label, phantom.LabelFocus)]; name != "" {
		return name
	}
	return fmt.Sprintf("zone %d", label)
}
