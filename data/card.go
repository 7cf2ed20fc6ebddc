package data

import (
	"fmt"
	"strings"

	"elastography/data/scanner"
)

// card is the cohort's data card: what it is, how it was made, what is assumption.
func card(r Recipe, s scanner.Scanner, c *Cohort) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Data card: simulated %s cohort\n\n", r.Organ)
	b.WriteString("**Every image, stiffness and histopathology label here is simulated.** No patient was scanned. The numbers that a network\n" +
		"reaches on it say how well the method works on this simulation, not on patients.\n\n## Recipe\n\n")
	fmt.Fprintf(&b, "| what | value |\n|---|---|\n| patients | %d: %d to train, %d to test |\n| planes | %d |\n| tumour foci | %d |\n",
		r.Patients, r.Patients-r.Test, r.Test, len(c.Rows), len(c.Foci))
	fmt.Fprintf(&b, "| seed | %d |\n| scanner | %s: %.1f MHz, %d elements over %.0f°, radius %.0f mm |\n", r.Seed, s.Name, s.FrequencyMHz, s.Elements, s.FieldOfViewDeg, s.RadiusMM)
	fmt.Fprintf(&b, "| image | %d x %d px of %.3f mm |\n| SWE display limit | %.0f kPa; stiffer pixels are flagged as saturated |\n",
		imageGrid.Height, imageGrid.Width, imageGrid.MMPerPx, s.ScaleMaxKPa)
	b.WriteString("\nRun again with the same recipe and seed, it gives the same bytes on the same type of processor.\n\n" +
		"## How it is made\n\n" +
		"1. `data/phantom` draws each patient: gland, zones, tissue latents, tumours with ISUP grade group, benign look-alikes. Stiffness and\n" +
		"   echogenicity are separate noisy functions of shared latents; neither is computed from the other.\n" +
		"2. `data/scanner` images each plane: B-mode through the array's own point-spread function; SWE by acoustic push, elastic wave propagation\n" +
		"   and time of flight. The training target is what the scanner shows (`swe_kpa`), never the tissue's truth (`e_true_kpa`).\n" +
		"3. Histopathology is stored as true (`labels_true`) and as registered (`labels`), with the shrinkage, plane mismatch and warp of real registration.\n\n" +
		"Population parameters, their sources and which of them are assumptions stand in the doc comments of `data/phantom` (Recipe) and\n" +
		"`data/scanner` (Scanner).\n\n" +
		"## Files\n\n`manifest.csv` a row a plane with its SHA-256; `foci.csv` a row a tumour focus; `<patient>/<plane>.npz` the maps, for NumPy and Go.\n")
	return b.String()
}
