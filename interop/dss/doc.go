// Package dss lets the European Commission's own library for electronic
// signatures, the Digital Signature Service, judge seals and make some. It is
// for tests only: the program that it starts is written in Java, stands beside
// it in src and is built by Maven, as README.md says.
//
//	judge, err := dss.Find()
//	results, err := judge.Do(ctx, dss.Task{Kind: dss.Validate, File: file, Anchors: anchors})
package dss
