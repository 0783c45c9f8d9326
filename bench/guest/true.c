/* true.c: nothing: its time is that of starting a program. */
int main(void)
{
    return 0;
}
