// What a Java program does, in small: threads, compiled loops, safepoints, garbage, exceptions.
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

public class Work {
    record Item(String name, double price) {}
    static volatile boolean stop;

    static int mix(int rounds, int seed) {
        int h = seed;
        for (int i = 0; i < rounds; i++)
            h = (h ^ (i & 0xff)) * 16777619 + (h >>> 13);
        return h;
    }

    static int depth(int n) {
        return n == 0 ? 0 : 1 + depth(n - 1);
    }

    public static void main(String[] args) throws Exception {
        System.out.println("float " + Math.sin(1e10) + " " + Math.sqrt(2) + " " + 7.5 % -2 + " " + (float) 0.1 + " " + (int) 1e20);
        System.out.println("int " + Integer.MIN_VALUE / -1 + " " + (-7 >> 1) + " " + (-7 >>> 28) + " " + Long.bitCount(-1L) + " " + Math.floorMod(-7, 3));
        System.out.println("loop " + mix(20_000_000, 7));

        ExecutorService pool = Executors.newFixedThreadPool(6);
        List<Future<Integer>> answers = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            int seed = i;
            answers.add(pool.submit(() -> mix(300_000, seed)));
        }
        int sum = 0;
        for (Future<Integer> answer : answers)
            sum += answer.get();
        System.out.println("pool " + sum);

        AtomicLong counter = new AtomicLong();
        ConcurrentHashMap<Integer, Integer> map = new ConcurrentHashMap<>();
        Object lock = new Object();
        long[] guarded = {0};
        CountDownLatch done = new CountDownLatch(6);
        for (int t = 0; t < 6; t++)
            pool.execute(() -> {
                for (int i = 0; i < 20000; i++) {
                    counter.incrementAndGet();
                    map.merge(i % 97, 1, Integer::sum);
                    synchronized (lock) {
                        guarded[0]++;
                    }
                }
                done.countDown();
            });
        done.await();
        System.out.println("counted " + counter + " " + guarded[0] + " " + map.values().stream().mapToInt(x -> x).sum());

        Thread spinner = new Thread(() -> { while (!stop) Thread.onSpinWait(); }); // stops only at safepoints
        spinner.start();
        List<byte[]> garbage = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            garbage.add(new byte[50_000]);
            if (garbage.size() > 200)
                garbage = new ArrayList<>();
        }
        System.gc();
        stop = true;
        spinner.join();
        System.out.println("gc done");

        Map<String, Double> groups = IntStream.range(0, 20000).mapToObj(i -> new Item("k" + i * 7919L % 101, i / 4.0))
            .collect(Collectors.groupingBy(Item::name, TreeMap::new, Collectors.summingDouble(Item::price)));
        System.out.println("stream " + groups.size() + " " + groups.get("k5"));
        int npe = 0;
        for (int i = 0; i < 50000; i++) { // by SIGSEGV once compiled
            try {
                String s = i % 5 == 0 ? null : "x";
                npe += s.length() - 1;
            } catch (NullPointerException e) {
                npe++;
            }
        }
        System.out.println("null " + npe);
        try {
            depth(100_000_000);
        } catch (StackOverflowError e) {
            System.out.println("overflow");
        }
        try {
            System.out.println(1 / (args.length));
        } catch (ArithmeticException e) {
            System.out.println("error " + e.getMessage());
        }
        Process child = new ProcessBuilder("/bin/echo", "hello").start();
        System.out.println("child " + new String(child.getInputStream().readAllBytes()).trim() + " " + child.waitFor());
        pool.shutdown();
        System.out.println("end " + pool.awaitTermination(10, TimeUnit.SECONDS) + " " + System.getProperty("os.arch"));
    }
}
