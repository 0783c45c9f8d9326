// What a Rust program does, in small: threads, channels, maps, a caught panic, a child.
use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

fn main() {
    println!("float {} {} {} {}", 1e10f64.sin(), 2f64.sqrt(), 7.5f64 % -2.0, (1e20f64) as i32);
    println!("int {:?} {} {}", i32::MAX.checked_add(1), (-7i32).rem_euclid(3), u128::MAX / 7);
    let total = Arc::new(AtomicU64::new(0));
    let words = Arc::new(Mutex::new(HashMap::new()));
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..6u64)
        .map(|number| {
            let (total, words, sender) = (total.clone(), words.clone(), sender.clone());
            thread::spawn(move || {
                for i in 0..5000u64 {
                    total.fetch_add(i ^ number, Ordering::AcqRel);
                    *words.lock().unwrap().entry(i % 97).or_insert(0u64) += 1;
                }
                sender.send(number * number).unwrap();
            })
        })
        .collect();
    drop(sender);
    for thread in threads {
        thread.join().unwrap();
    }
    println!("threads {} {}", total.load(Ordering::SeqCst), receiver.iter().sum::<u64>());
    let sorted: BTreeMap<_, _> = words.lock().unwrap().clone().into_iter().collect();
    println!("map {} {:?}", sorted.len(), sorted.iter().next());
    let caught = thread::spawn(|| {
        let empty: Vec<i32> = Vec::new();
        empty[std::env::args().count()]
    });
    println!("panic {}", caught.join().is_err());
    let out = Command::new("/bin/echo").arg("hello").output().unwrap();
    println!("child {}", String::from_utf8_lossy(&out.stdout).trim());
}
