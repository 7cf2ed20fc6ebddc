package phantom

import (
	"context"
	"testing"
)

func BenchmarkSection(b *testing.B) {
	p, err := Prostate().Patient(1, 0)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := p.Section(context.Background(), i%3, ReferenceGrid()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatient(b *testing.B) {
	r := Prostate()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Patient(1, i); err != nil {
			b.Fatal(err)
		}
	}
}
