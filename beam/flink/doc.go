// Package flink puts a small Flink session cluster with Beam's job server on
// one machine, for trials and tests: one JobManager, some TaskManagers.
//
// It owns which versions those are and how they are fetched (Assemble), the
// cluster's configuration, its processes and their end (Start, Supervise,
// Stop). The job server listens on every interface whatever it is told, so the
// cluster runs in a network of its own and three of its ports are passed on to
// this machine's loopback interface. It is no cluster for patients' data on
// machines that others use, and none for production: docs/scale.md says how an
// existing one is used.
package flink
